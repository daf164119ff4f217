"""How groups are ordered, and what a host inherits."""

from __future__ import annotations

from inventory.ansible.grouping import GroupTree
from inventory.snapshot import GroupFacts, HostFacts, ProfileFacts, SiteFacts, Snapshot


def tree(groups, hosts=("h",), *, variables=None, profiles=(), order=None, retired=()):
    snapshot = Snapshot(
        SiteFacts("lab", "example.net", written={"order": order} if order else {}),
        hosts=tuple(
            HostFacts(name, status="retired" if name in retired else "active") for name in sorted(hosts)
        ),
        groups=tuple(
            GroupFacts(name, children=tuple(children), hosts=tuple(members), priority=priority)
            for name, (children, members, priority) in sorted(groups.items())
        ),
        profiles=profiles,
    )
    names = ["all", "ungrouped", *groups, *(f"profile_{p.name}" for p in profiles)]
    return GroupTree(snapshot, variables or {name: {"who": name, name: 1} for name in names})


def test_the_deepest_group_wins_and_depth_is_the_longest_way():
    #  all → top → low → bottom; all → short → bottom
    found = tree(
        {
            "top": (["low"], [], 1),
            "low": (["bottom"], [], 1),
            "short": (["bottom"], [], 1),
            "bottom": ([], ["h"], 1),
        }
    )
    assert found.depth == {"all": 0, "top": 1, "short": 1, "low": 2, "bottom": 3}
    assert found.order("h") == ["all", "short", "top", "low", "bottom"]
    assert found.inherited("h")["who"] == "bottom"


def test_at_equal_depth_priority_wins_then_the_name():
    found = tree({"a": ([], ["h"], 5), "b": ([], ["h"], 1), "c": ([], ["h"], 1)})
    assert found.order("h") == ["all", "b", "c", "a"]


def test_a_host_in_no_group_inherits_from_ungrouped():
    found = tree({"a": ([], [], 1)})
    assert found.ungrouped == ("h",)
    assert found.order("h") == ["all", "ungrouped"]
    assert found.inherited("h")["who"] == "ungrouped"


def test_members_are_those_of_all_groups_below():
    found = tree(
        {"a": (["b", "c"], ["h1"], 1), "b": (["c"], ["h2"], 1), "c": ([], ["h3"], 1)},
        ("h1", "h2", "h3", "h4"),
    )
    assert found.members("a") == {"h1", "h2", "h3"}
    assert found.members("all") == {"h1", "h2", "h3", "h4"}
    assert found.members("ungrouped") == {"h4"}


def test_the_order_of_the_imported_tree_is_kept_and_the_new_stand_behind():
    order = {
        "hosts": {"a": ["z", "y", "gone"], "all": ["z"]},
        "children": {"all": ["b", "a", "c"], "b": ["d", "c"]},
    }
    found = tree(
        {
            "a": ([], ["new", "y", "z"], 1),
            "b": (["c", "d"], [], 1),
            "c": ([], [], 1),
            "d": ([], [], 1),
            "e": ([], [], 1),
        },
        ("z", "y", "new"),
        order=order,
    )
    assert found.hosts["a"] == ("z", "y", "new")
    assert found.children["b"] == ("d", "c")
    assert found.top_level == ["b", "a", "c", "e"]  # c is named in all, though b has it too
    assert found.named_in_all == ("z",)


def test_retired_hosts_are_in_no_group():
    found = tree({"a": ([], ["h", "old"], 1)}, ("h", "old"), retired=("old",))
    assert found.hosts["a"] == ("h",)
    assert found.members("all") == {"h"}


def test_a_workload_profile_is_a_group():
    found = tree({}, profiles=(ProfileFacts("builder", ("h",)), ProfileFacts("parked")))
    assert found.top_level == ["profile_builder", "profile_parked"]
    assert found.order("h") == ["all", "profile_builder"]


def test_a_thousand_levels_are_no_matter():
    groups = {
        f"g{n:04}": ([f"g{n + 1:04}"] if n < 999 else [], ["h"] if n == 999 else [], 1) for n in range(1000)
    }
    found = tree(groups)
    assert found.depth["g0999"] == 1000
    assert len(found.order("h")) == 1001
