"""The two kinds of failure a person meets: a sentence for the operator, and an official error body for a client."""

from __future__ import annotations

from dataclasses import dataclass


class TunerError(Exception):
    """Something the operator can fix; the message is one sentence with the value and the next action."""


class WeightsMissing(TunerError):
    """The base model's weights cannot be had; the message says which, and how to supply a path."""


class WeightsDamaged(TunerError):
    """A weights file is there but is not the file it claims to be; the message names it."""


class EngineFailed(TunerError):
    """The inference engine did not start, or stopped while answering."""


class EngineGone(EngineFailed):
    """The engine ended in the middle of something, which says nothing about what it was asked: ask again."""


@dataclass
class ApiError(Exception):
    """A refusal in the official error shape: `{"error": {"message", "type", "param", "code"}}`.

    `status` is the HTTP status. Types and codes follow what the openai client's users match on
    (https://platform.openai.com/docs/guides/error-codes, read 2026-11-21).
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None

    def __str__(self) -> str:
        return self.message

    def body(self) -> dict[str, object]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def model_not_found(name: str) -> ApiError:
    return ApiError(
        404,
        f"The model `{name}` does not exist or you do not have access to it.",
        param="model",
        code="model_not_found",
    )


def bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    return ApiError(400, message, param=param, code=code)
