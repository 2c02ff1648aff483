"""Batches: enhancers × tasks from one file, each cell done once, interrupted or not.

    source → config → plan → execution → records → result

A cell is an enhancer on a task. Its images are cut into chunks at fixed boundaries; a chunk is the
unit of the forward pass, of recording, of resuming and of sharing.
"""
