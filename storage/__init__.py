"""What Finetone remembers: records (the nouns), tables, migrations and the store. Imports nothing else of ours."""
