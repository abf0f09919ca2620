"""What happens inside the training process (tuner/train.py): TRL and PEFT are imported here and nowhere else.

torch, transformers, trl and peft are loosely typed, so each module here turns off what strict typing says of unknown
types; nothing of theirs leaves the package.
"""
