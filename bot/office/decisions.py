"""Pure: the sentence that tells a proposer what became of their correction; the platform escapes what goes into it."""

from bot.wording import day, words_of
from storage.records import Correction, CorrectionState


def decision_sentence(correction: Correction, approved: str, rejected: str, question: str, note: str) -> str:
    """`approved` and `rejected` are "NAME approved" and "NAME rejected" as the platform sets them off; `question` and `note`
    are the correction's, escaped.
    """
    about = f"your correction of “{question}”"
    match correction.state:
        case CorrectionState.APPROVED:
            trained = "It goes into the next dataset."
            untrained = "It is used in answers, but not trained on."
            said = f"{approved} {about}. {trained if correction.is_for_training else untrained}"
            said += f" It holds until {day(correction.expires_at)}." if correction.expires_at else ""
        case CorrectionState.REJECTED:
            said = f"{rejected} {about}. It will not be trained on."
        case state:
            said = f"{about[0].upper()}{about[1:]}: {words_of(state).lower()}."
    return f"{said} Their note: “{note}”" if note else said
