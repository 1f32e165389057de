"""What was not yet sent of a part of a page that runs again is dropped whole.

Streamlit drops what it has not sent of a fragment as soon as the fragment runs again, but not what
the browser keeps from before: a mere name of that waits in the queue, which does not say of which
fragment it is. It would come without what stands before it, and the page would be blank ("Bad delta
path index").
"""

from __future__ import annotations

from collections.abc import Collection

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_streamlits_clear = ForwardMsgQueue.clear


def drop_parts_whole() -> None:
    """From now on, in the queues of all visitors."""
    ForwardMsgQueue.clear = _clear


def _clear(
    self: ForwardMsgQueue,
    retain_lifecycle_msgs: bool = False,
    fragment_ids_this_run: list[str] | None = None,
) -> None:
    if retain_lifecycle_msgs and fragment_ids_this_run:
        # What is dropped stands in these blocks.
        blocks = {
            tuple(message.metadata.delta_path[:-1])
            for message in self._queue
            if message.HasField("delta") and message.delta.fragment_id in fragment_ids_this_run
        }
        self._queue = [
            message
            for message in self._queue
            if not (message.HasField("ref_hash") and _stands_in(message, blocks))
        ]
    _streamlits_clear(self, retain_lifecycle_msgs, fragment_ids_this_run)


def _stands_in(message: ForwardMsg, blocks: Collection[tuple[int, ...]]) -> bool:
    place = tuple(message.metadata.delta_path)
    return any(place[: len(block)] == block for block in blocks)
