"""CINNOX's webhooks: call events say only that there is something to ask for.

Pages: https://docs.cinnox.com/docs/createeditdelete-call-event-subscription and
https://docs.cinnox.com/reference/createeditdelete-recording-file-event-subscription. An address is
verified with a challenge that the answer repeats.
"""

from __future__ import annotations

from providers.model import Json

LONGEST = 500
"""Characters of a challenge; a longer one is none of CINNOX's."""


class CinnoxWebhooks:
    """See `providers.base.AnswersWebhooks`."""

    @staticmethod
    def webhook_answer(body: Json) -> Json:
        challenge = body.get("challenge") if isinstance(body, dict) else None
        if not isinstance(challenge, str) or not 0 < len(challenge) <= LONGEST:
            return {"code": 200}
        return {"code": 200, "result": {"challenge": challenge}}
