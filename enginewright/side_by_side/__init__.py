"""`dvc repro` whose independent stages run side by side: `python -m enginewright.side_by_side repro`.

DVC runs one stage after another. It gives its repository lock away while a stage's command runs, so that other `dvc`
processes can work meanwhile; here threads of one `dvc` process do so instead. All that DVC does itself (hashing, its
cache, its lock files) stays one at a time, and so does every rule by which it decides what runs. `dvc.lock` gets the
entries that `dvc repro` writes, in the order in which it writes them.
"""
