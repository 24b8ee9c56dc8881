"""The timeline as users edit it by hand: segments, scenes, shots, and what each of them shows.

Every function works in the caller's transaction, and marks what it changed, so that no run undoes it. What an edit
makes stale is marked on the rows and stays in use until it is asked for anew. Changes of the order are refused while a
run is under way.
"""

from pipeline.projects.editing.scenes import change_scene, merge_scene, order_scenes, remove_scene, split_scene
from pipeline.projects.editing.script import (
    MOST_CHARACTERS,
    change_segment,
    insert_segment,
    merge_segment,
    order_segments,
    remove_segment,
    split_segment,
)
from pipeline.projects.editing.shots import (
    bring_back,
    change_shot,
    clear_frame,
    merge_shot,
    order_shots,
    remove_shot,
    split_shot,
    use_own,
)

__all__ = [
    "MOST_CHARACTERS",
    "bring_back",
    "change_scene",
    "change_segment",
    "change_shot",
    "clear_frame",
    "insert_segment",
    "merge_scene",
    "merge_segment",
    "merge_shot",
    "order_scenes",
    "order_segments",
    "order_shots",
    "remove_scene",
    "remove_segment",
    "remove_shot",
    "split_scene",
    "split_segment",
    "split_shot",
    "use_own",
]
