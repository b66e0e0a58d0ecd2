"""The stack of a shower and the list of its neutrinos: what daughters inherit, and growth."""

import numpy as np

from sim3d.shower.neutrino_list import (
    NEUTRINO_COLUMNS,
    NU_DECAY,
    NU_ENERGY,
    NU_FLAVOUR,
    NU_PARENT,
    NU_SHIFT_X,
    NU_TAG,
    NU_TURN,
    NU_UX,
    NU_WEIGHT,
    NU_X,
    list_neutrino,
)
from sim3d.shower.stack import (
    CROSSED,
    DECAYS,
    EX,
    HELICITY,
    KINETIC,
    SHIFT_X,
    STACK_COLUMNS,
    TURN,
    UX,
    WEIGHT,
    X,
    grown_stack,
    new_stack,
    put_copy,
    put_daughter,
    put_primary,
)

PARENT = np.arange(1.0, STACK_COLUMNS + 3.0)  # with two carried columns


def test_growing_keeps_what_is_there():
    stack = new_stack(3, 2)
    for array in stack:
        array[...] = np.arange(array.size).reshape(array.shape)
    for old, new in zip(stack, grown_stack(*stack), strict=True):
        assert new.dtype == old.dtype
        assert new.shape[0] > 2 * old.shape[0]
        assert np.array_equal(new[:3], old)


def test_a_primary():
    particles = np.full((2, STACK_COLUMNS), np.nan)
    put_primary(particles, np.arange(9.0), 5.0)
    assert list(particles[0, :9]) == list(range(9))
    assert particles[0, KINETIC] == 5.0
    assert particles[0, WEIGHT] == 1.0
    assert not particles[0, HELICITY:].any()


def test_a_daughter_inherits_place_turn_shift_and_what_is_carried():
    particles = np.full((2, STACK_COLUMNS + 2), np.nan)
    put_daughter(particles, 1, PARENT, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 7.0, 0.8, -0.9)
    row = particles[1]
    for first, size in ((X, 3), (TURN, 1), (SHIFT_X, 3), (STACK_COLUMNS, 2)):
        assert np.array_equal(row[first : first + size], PARENT[first : first + size])
    assert list(row[UX : UX + 3]) == [0.1, 0.2, 0.3]
    assert list(row[EX : EX + 3]) == [0.4, 0.5, 0.6]
    assert (row[KINETIC], row[WEIGHT], row[HELICITY]) == (7.0, 0.8, -0.9)
    assert row[DECAYS] == row[CROSSED] == 0.0
    put_copy(particles, 0, PARENT)
    assert np.array_equal(particles[0], PARENT)


def test_a_narrow_particle_on_a_wide_stack():
    """A shower without gradients may use a stack with room for what others carry."""
    particles = np.zeros((1, STACK_COLUMNS + 2))
    put_copy(particles, 0, PARENT[:STACK_COLUMNS])
    assert np.array_equal(particles[0, :STACK_COLUMNS], PARENT[:STACK_COLUMNS])
    assert not particles[0, STACK_COLUMNS:].any()


def test_a_neutrino():
    neutrinos = np.full((1, NEUTRINO_COLUMNS + 2), np.nan)
    list_neutrino(neutrinos, 0, PARENT, 4, 3, 2.5, 0.25, 0.1, 0.2, 0.3, 99.0, 7.0)
    row = neutrinos[0]
    assert (row[NU_FLAVOUR], row[NU_ENERGY], row[NU_WEIGHT], row[NU_TAG]) == (3.0, 2.5, 0.25, 99.0)
    assert (row[NU_PARENT], row[NU_DECAY]) == (4.0, 7.0)
    assert list(row[NU_UX : NU_UX + 3]) == [0.1, 0.2, 0.3]
    assert np.array_equal(row[NU_X : NU_X + 3], PARENT[X : X + 3])
    assert row[NU_TURN] == PARENT[TURN]
    assert np.array_equal(row[NU_SHIFT_X : NU_SHIFT_X + 3], PARENT[SHIFT_X : SHIFT_X + 3])
    assert np.array_equal(row[NEUTRINO_COLUMNS:], PARENT[STACK_COLUMNS:])
