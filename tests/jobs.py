"""Jobs for the processes in tests/test_workers.py: they must find them by import."""

import os
import time

import numpy as np


def count(most: int):
    yield from range(most)
    return most


def forever():
    while True:
        yield os.getpid()
        time.sleep(0.01)


def silent_forever():
    yield os.getpid()
    while True:
        sum(range(10_000_000))


def refuse():
    yield 1
    raise ValueError("this cannot be done")


def talk():
    print("something a model says")
    yield 1


def devour():
    yield 1
    yield np.ones(int(1e10)).sum()


def die():
    yield 1
    os._exit(9)
