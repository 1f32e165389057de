"""Known labels stand as a ribbon under a series, to be compared with what the model makes of it."""

import numpy as np

from pages.ui.families.table import family_of
from pages.ui.pictures.picture import UNKNOWN
from pages.ui.state.changes import changed
from pages.ui.state.presets import GALLERY
from pages.ui.state.settings import Settings
from support.runs import started

(CASINO,) = (preset for preset in GALLERY if "casino" in preset.title)


def test_each_label_has_a_state_of_its_own_and_rows_without_one_none() -> None:
    settings = changed(Settings(), **CASINO.settings)
    _, selection, scene = started(settings, 30)
    assert selection.labels is not None
    labels = selection.labels.copy()
    labels[:10] = None
    picture, _ = family_of(settings).picture(scene._replace(labels=labels))
    known = picture.known
    assert known is not None and (known[:10] == UNKNOWN).all()
    of = {name: set(known[labels[scene.sample] == name]) for name in ("fair", "loaded")}
    assert sorted([*of["fair"], *of["loaded"]]) == [0, 1]
    # No other way to pair them has more rows in the state of their label.
    posterior = scene.model.posterior(scene.steps[-1].params, scene.data).state_probabilities
    shares = np.concatenate(posterior)[scene.sample]
    agree = [shares[np.arange(len(known)), np.where(known == UNKNOWN, 0, k)].sum()
             for k in (known, 1 - known)]  # fmt: skip
    assert agree[0] >= agree[1]
    assert picture.note.count("known labels") == 1
    without, _ = family_of(settings).picture(scene._replace(labels=None))
    assert without.known is None and "known labels" not in without.note
