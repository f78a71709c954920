"""Where chats are remembered: checkpoints of every thread in one SQLite file."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from filelock import FileLock, Timeout
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.chat.follow_up import ChatError
from tools.private_files import give_to_owner, make_private_file, make_private_folder
from tools.store.store_failures import trouble_around

BUSY_TIMEOUT_S = 10.0


class ThreadInUseError(ChatError):
    """A conversation is open elsewhere: two at once would each forget what the other said."""


class ChatMemory:
    """The remembered chats of one file, which is made when it is not there.

    Args:
        path: The SQLite file.
        thread: The chat that is held here, until ``close`` or the end of the process.

    Raises:
        ThreadInUseError: If that chat is held elsewhere.
        ChatError: If the file cannot be opened, or is no such file; says what to do.
    """

    def __init__(self, path: Path, thread: str) -> None:
        self.path = path
        digest = hashlib.sha256(thread.encode()).hexdigest()[:16]
        self._held = FileLock(path.parent / "locks" / f"chat-{digest}", mode=0o600)
        try:
            make_private_folder(path.parent / "locks")
            make_private_file(path)
            self._held.acquire(timeout=0)
            give_to_owner(Path(self._held.lock_file))
        except Timeout:
            raise ThreadInUseError(
                f"the chat “{thread}” is open elsewhere; end it there, or begin another with "
                "--thread NAME"
            ) from None
        except OSError as exc:
            raise unusable(path, exc) from exc
        try:
            # The saver has a lock of its own; turns run in threads.
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as exc:
            self._held.release()
            raise unusable(path, exc) from exc
        self.saver = SqliteSaver(self._connection)
        try:
            self.saver.setup()
            self.threads()
        except sqlite3.Error as exc:
            self.close()
            raise unusable(path, exc) from exc

    def threads(self) -> list[str]:
        """Names of the remembered chats, the latest first.

        Raises:
            sqlite3.Error: If the file is damaged.
        """
        with self.saver.cursor(transaction=False) as cursor:
            rows = cursor.execute(
                "SELECT thread_id FROM checkpoints GROUP BY thread_id "
                "ORDER BY MAX(checkpoint_id) DESC"
            ).fetchall()
        return [str(name) for (name,) in rows]

    def keep_latest(self, thread: str) -> None:
        """Forget the steps that led to a chat's latest state: each holds all its turns again.

        Raises:
            sqlite3.Error: If the file cannot be written.
        """
        with self.saver.cursor() as cursor:
            latest = cursor.execute(
                "SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = ?", (thread,)
            ).fetchone()[0]
            for table in ("writes", "checkpoints"):
                cursor.execute(
                    f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < ?",  # noqa: S608  # two names of ours
                    (thread, latest),
                )

    def close(self) -> None:
        """Let go of the file; harmless when repeated."""
        # A cancelled turn may be writing its last step: SQLite crashes if it is closed meanwhile.
        with self.saver.lock:
            self._connection.close()
        self._held.release()


def unusable(path: Path, exc: Exception) -> ChatError:
    """What the user should know about a file of chats that cannot be used."""
    told = None if path.is_dir() else trouble_around(path.parent, exc, what="its file")
    if told:
        return ChatError(
            f"the memory of chats, {path}, cannot be used: {told}. This chat continues, but will "
            "not be remembered"
        )
    return ChatError(
        f"the memory of chats, {path}, cannot be used ({exc}); this chat continues, but will not "
        "be remembered. Move the file away to begin a new memory"
    )
