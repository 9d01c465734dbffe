"""The form of a module's settings in a real browser that runs no scripts, and the agent that gets them."""

import json
from collections.abc import Callable

from lars.db.routes import RouteEdit
from lars.route import ModuleId
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import Site

OpenBrowser = Callable[..., Browser]

A = "127.0.0.1:9001"
PAGE = "/settings/1/1"


async def on_the_form(site: Site, open_browser: OpenBrowser, **how: object) -> Browser:
    """A browser of an editor on the form of a module's settings."""
    await site.up()
    site.add_user("lea", "editor")
    site.commands.ok("route", "add", "1", "1", A)
    browser = open_browser(**how)
    site.sign_in(browser, "lea")
    browser.go(site.base + PAGE)
    return browser


async def test_settings_reach_the_agent_and_those_that_are_not_set_show_their_default(
    site: Site, open_browser: OpenBrowser
) -> None:
    browser = await on_the_form(site, open_browser, scripts=False)
    assert browser.value("policy") == ""
    browser.reads("0 to 600. Default: 2.")
    browser.until(lambda: policy_at_agent(site) == "classic", "the agent to know the module, with its own policy")
    browser.choose(policy="round_robin", panic="false")
    browser.fill(slow_start="30")
    browser.press("Save the settings")
    browser.reads("The settings are saved")
    assert [browser.value(name) for name in ("policy", "panic", "slow_start")] == ["round_robin", "false", "30"]
    browser.until(lambda: policy_at_agent(site) == "round_robin", "the agent to have the policy")
    browser.go(f"{site.base}/modules/1/1")
    for text in ("policy = round_robin", "panic = false", "slow_start = 30", "Everything else has its default."):
        browser.reads(text)
    browser.go(site.base + PAGE)
    browser.choose(policy="default: the agent's conf file")
    browser.press("Save the settings")
    browser.until(lambda: policy_at_agent(site) == "classic", "the agent to have its own policy again")


def policy_at_agent(site: Site) -> str:
    """The policy by which the agent balances the module; empty while it does not know it."""
    site.commands.run("get-host", "1", "1")  # makes the agent ask for the module
    done = site.commands.run("explain", "1", "1", "--json")
    return "".join({row["policy"] for row in json.loads(done.stdout)}) if done.returncode == 0 else ""


async def test_each_bad_setting_has_one_line_beside_it_and_nothing_that_was_typed_is_lost(
    site: Site, open_browser: OpenBrowser
) -> None:
    browser = await on_the_form(site, open_browser)
    browser.driver.execute_script("document.getElementById('policy').options[1].value = 'fastest'")
    browser.choose(policy="adaptive")
    typed = {
        "slow_start": "soon",
        "health_check.rise": "1.5",
        "health_check.interval": "-1",
        "ejection.first_wait": "3",
    }
    browser.fill(**typed)
    browser.press("Save the settings")
    assert browser.beside("policy") == "policy: choose one of adaptive, round_robin, consistent_hash, classic."
    assert browser.beside("slow_start") == "slow_start: write a number from 0 to 600."
    assert browser.beside("health_check.rise") == "health_check.rise: write a whole number from 1 to 20."
    assert browser.beside("health_check.interval") == "health_check.interval: write a number from 0.2 to 3600."
    assert browser.beside("ejection.first_wait") == ""
    assert {name: browser.value(name) for name in typed} == typed
    assert browser.value("policy") == "fastest"
    assert browser.violations() == []


async def test_http_check_without_a_path_is_refused_beside_the_path(site: Site, open_browser: OpenBrowser) -> None:
    browser = await on_the_form(site, open_browser, scripts=False)
    browser.choose(**{"health_check.type": "http"})
    browser.press("Save the settings")
    assert browser.beside("health_check.path") == "health_check.path: an http check needs a path, such as /healthz."
    assert browser.value("health_check.type") == "http"
    browser.fill(**{"health_check.path": "/healthz"})
    browser.press("Save the settings")
    browser.reads("The settings are saved")


async def test_second_of_two_edits_of_the_settings_is_a_conflict(site: Site, open_browser: OpenBrowser) -> None:
    browser = await on_the_form(site, open_browser, scripts=False)
    site.commands.ok("route", "add", "1", "1", "127.0.0.1:9002")  # a new host is no conflict
    browser.fill(slow_start="30")
    browser.press("Save the settings")
    browser.reads("The settings are saved")
    await site.edit(RouteEdit(ModuleId(1, 1), settings=lambda now: {**now, "panic": False}))
    browser.fill(slow_start="40")
    browser.press("Save the settings")
    browser.reads("Somebody else has edited this module since.")
    assert browser.value("slow_start") == "40", "what was typed is kept"
    browser.go(f"{site.base}/modules/1/1")
    browser.reads("slow_start = 30")
    browser.reads("panic = false")
