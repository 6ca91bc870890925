# SPDX-License-Identifier: LGPL-2.1-or-later
"""openapi.py finds what is planted."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import openapi  # noqa: E402
from planting import copy, plant  # noqa: E402

yaml = pytest.importorskip("yaml")

FILES = {openapi.FILE, openapi.ROUTES, openapi.FILES, openapi.CHANGES, openapi.STREAM, *(source[0] for source in openapi.WORDS.values())}


@pytest.fixture
def tree(tmp_path):
    return copy(FILES, tmp_path)


def test_the_real_one_is_whole(tree):
    assert openapi.check(tree, yaml) == []


@pytest.mark.parametrize("name, old, new, breach", [
    ("daemon/api/routes.c", '"/v1/fencing"', '"/v1/fences"', "GET /v1/fences is a route, and not in conf/openapi.yaml"),
    ("daemon/api/routes.c", '"/v1/fencing"', '"/v1/fences"', "GET /v1/fencing is in conf/openapi.yaml, and no route"),
    ("daemon/api/routes.c", "API_READ, check_answer", "API_ACT, check_answer",
     "POST /v1/check needs act, and conf/openapi.yaml says read"),
    ("daemon/api/routes.c", "{EVHTTP_REQ_", "{ EVHTTP_REQ_", "GET /metrics is in conf/openapi.yaml, and no route"),
    ("daemon/api/assets.c", '"/dashboard/"', '"/page/"', "GET /page/{} is a route, and not in conf/openapi.yaml"),
    ("lib/report/changes.c", '"machine-gone"', '"machine-lost"', "the event machine-lost is told, and not in"),
    ("lib/report/changes.c", '"machine-gone"', '"machine-lost"', "the event machine-gone is in conf/openapi.yaml, and never told"),
    ("lib/report/changes.c", "kinds[KIND_COUNT]", "words[KIND_COUNT]", "the event plan is in conf/openapi.yaml, and never told"),
    ("daemon/api/stream.h", '"missed"', '"lost"', "the event lost is told, and not in"),
    ("lib/report/problem_list.c", '{"brake", 2}', '{"braked", 2}', 'ProblemKind lacks "braked" of'),
    ("lib/report/problem_list.c", '{"brake", 2}', '{"braked", 2}', 'ProblemKind has "brake", which is not in'),
    ("lib/detect/host.c", "words[HOST_STATE_COUNT]", "states[HOST_STATE_COUNT]", "HostState: no words were found in"),
    ("daemon/settings.c", '"observe"', '"watch"', 'Mode lacks "watch" of'),
    ("conf/openapi.yaml", "    RankBy: {", "    Flavour: {type: string, enum: [a]}\n    RankBy: {",
     "Flavour has words, and this check"),
    ("conf/openapi.yaml", "    RankBy: {", "    Flavour: {type: string}\n    RankBy: {",
     "schemas/Flavour is there, and nothing refers to it"),
    ("conf/openapi.yaml", "schemas/Plan'", "schemas/Plans'", "schemas/Plans is referred to, and not there"),
    ("conf/openapi.yaml", "[error]", "[error, cause]", "schemas/Error: cause is required, and no member"),
    ("conf/openapi.yaml", "required: [machine, message]", "required: [machine]", "schemas/Done: message is not required"),
    ("conf/openapi.yaml", "      unevaluatedProperties: false\n", "", "schemas/Machine allows members that are not named"),
    ("conf/openapi.yaml", "false\n      required: [machine, message]", "true\n      required: [machine, message]",
     "schemas/Done allows members that are not named"),
    ("conf/openapi.yaml", "{machine}/tag", "{domain}/tag", "POST /v1/machines/{domain}/tag: domain is not described"),
    ("conf/openapi.yaml", "operationId: reload", "operationId: release", "release is the operationId of several"),
    ("conf/openapi.yaml", "tags: [maintenance]", "tags: [care]", "POST /v1/holds has no summary, or no tag"),
])
def test_a_planted_breach_is_found(tree, name, old, new, breach):
    plant(tree, name, old, new)
    assert any(breach in found for found in openapi.check(tree, yaml)), openapi.check(tree, yaml)
