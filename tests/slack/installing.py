"""The walk of a person who installs the app: its install page, Slack's consent page, and back to the app."""

import html
import re

import httpx

from tests.slack.loopback import loopback_client


class NotInstalled(AssertionError):
    """A page on the way did not show what it must."""


async def install(app_url: str, authorize_url: str, user_name: str) -> httpx.Response:
    """Walk from `/slack/install` over the consent page at `authorize_url` back to the app. Returns its last page.

    The consent page is that of the workspace the person is signed in to, whatever the app's own link says.
    """
    async with loopback_client() as browser:
        start = await browser.get(f"{app_url}/slack/install")
        query = httpx.URL(_link(start)).query.decode()
        consent = await browser.get(f"{authorize_url}?{query}")
        fields = _form_of(consent, user_name)
        agreed = await browser.post(httpx.URL(authorize_url).join("/oauth/v2/authorize/callback"), data=fields)
        if "location" not in agreed.headers:
            raise NotInstalled(f"the consent page answered {agreed.status_code}: {agreed.text[:300]}")
        # The state cookie is marked Secure: a browser sends it over https, so here it is carried by hand.
        cookies = "; ".join(value.split(";")[0] for value in start.headers.get_list("set-cookie"))
        return await browser.get(agreed.headers["location"], headers={"Cookie": cookies})


def _link(page: httpx.Response) -> str:
    """Where the install page sends people: a redirect, or the link of its button."""
    if "location" in page.headers:
        return page.headers["location"]
    found = re.search(r'href="([^"]*client_id=[^"]*)"', page.text)
    if found is None:
        raise NotInstalled(f"the install page answered {page.status_code} without a link: {page.text[:300]}")
    return html.unescape(found.group(1))


def _form_of(page: httpx.Response, user_name: str) -> dict[str, str]:
    """The hidden fields behind a person's button on the emulator's consent page."""
    for form in re.findall(r"<form.*?</form>", page.text, re.DOTALL):
        if re.search(rf">\s*{re.escape(user_name)}\s*</span>", form):
            pairs = re.findall(r'name="([^"]*)" value="([^"]*)"', form)
            return {html.unescape(name): html.unescape(value) for name, value in pairs}
    raise NotInstalled(f"the consent page ({page.status_code}) does not offer {user_name}: {page.text[-500:]}")
