"""roughcut: footage in; an edited, graded film and the editable timeline behind it out.

analysis = roughcut.analyze("talk.mp4")
plan = roughcut.plan(analysis, target="60s")
result = roughcut.render(plan, "cut.mp4")
"""

__version__ = "0.1.0"
