"""The table of keys that are known by how they look, each with an example and a text that only resembles it."""

from __future__ import annotations

import re
from typing import NamedTuple


class KeyPattern(NamedTuple):
    kind: str  # what people call it
    prefix: str  # how it begins
    rest: str  # the regular expression of what follows; together at least `SHORTEST_RUN` long
    example: str
    look_alike: str  # a text that resembles one, and is no key
    is_word: bool = False  # whether it occurs by chance in base64: a `+` before it is no boundary


_TAIL = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0"
_HEX = "0123456789abcdef" * 4
_PLAIN = "[A-Za-z0-9]{20,}"
_DASHED = "(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}"
_AWS = "[A-Z0-9]{16}(?![A-Za-z0-9])"
# Words, and at the end a number: the ids that scikit-learn gives to elements of its pages.
_SLUG = "(?:[A-Za-z]+[_-]+)+[0-9]+(?:[_-][0-9]+)*(?![A-Za-z0-9_-])"


def _like(kind: str, prefixes: str, rest: str = _PLAIN, tail: str = _TAIL) -> list[KeyPattern]:
    """Return a row for each of some prefixes; words after one are no key."""
    return [
        KeyPattern(kind, prefix, rest, prefix + tail, f"{prefix}your_own-key_goes-here")
        for prefix in prefixes.split()
    ]


# fmt: off
KEY_PATTERNS = (
    KeyPattern(
        "a key (sk-...)", "sk-",
        "(?:(?:ant|proj|svcacct|admin|or|org|lf|None|live|test)-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{11,}"
        "|(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{20,}"
        f"|(?!{_SLUG})(?=(?:[A-Za-z_-]*[0-9]){{4}})[A-Za-z0-9_-]{{16,}})",
        f"sk-ant-api03-{_TAIL}", "sk-estimator-id-1234",
    ),
    *_like("a client secret of OpenAI", "ek_", "(?=[A-Za-z]*[0-9])[A-Za-z0-9]{24,}"),
    *_like("a key (sk_...)", "sk_", "[0-9a-f]{40,}", _HEX),
    *_like("a RubyGems or DigitalOcean token", "rubygems_ dop_v1_ doo_v1_ dor_v1_", "[0-9a-f]{40,}", _HEX),
    *_like("a Stripe key", "sk_live_ sk_test_ rk_live_ rk_test_", "[A-Za-z0-9]{16,}"),
    *_like("a secret of webhooks", "whsec_", "[A-Za-z0-9+/]{24,}={0,2}"),
    KeyPattern("a Google API key", "AIza", "[A-Za-z0-9_-]{30,}", f"AIzaSy{_TAIL}",
               "AIza is how it begins", True),
    KeyPattern("a Google API key", "AQ.", "[A-Za-z0-9_-]{30,}", f"AQ.{_TAIL}", "FAQ.", True),
    KeyPattern("a Google access token", "ya29.", "[A-Za-z0-9_.-]{20,}", f"ya29.a0{_TAIL}",
               "ya29.example", True),
    *_like("a Google client secret", "GOCSPX-", _DASHED),
    *_like("a GitHub token", "ghp_ gho_ ghs_ ghu_ ghr_"),
    *_like("a GitHub token", "github_pat_", "(?=[A-Za-z_]*[0-9])[A-Za-z0-9_]{20,}"),
    *_like("a GitLab token", "glpat- gldt- glrt- glptt- glcbt- glft- glsoat- GR1348941", _DASHED),
    KeyPattern("an AWS access key id", "AKIA", _AWS, "AKIAIOSFODNN7EXAMPLE", "AKIAabc", True),
    KeyPattern("an AWS access key id", "ASIA", _AWS, "ASIAIOSFODNN7EXAMPLE", "ASIAN", True),
    KeyPattern("a Bedrock key", "ABSK", "[A-Za-z0-9+/]{80,}={0,2}", f"ABSK{_TAIL * 3}",
               f"ABSK{_TAIL}", True),
    KeyPattern("an Alibaba access key id", "LTAI", "[A-Za-z0-9]{16,24}(?![A-Za-z0-9])",
               f"LTAI{_TAIL[:20]}", "LTAI5t", True),
    *_like("a Groq, xAI, Perplexity or Cerebras key", "gsk_ xai- pplx- csk-"),
    *_like("a Hugging Face token", "hf_ api_org_", "[A-Za-z0-9]{30,}"),
    *_like("a Replicate token", "r8_", "[A-Za-z0-9]{30,}"),
    *_like("a Together key", "tgp_v1_", "[A-Za-z0-9_-]{30,}"),
    *_like("a Fireworks key", "fw_", "(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,}"),
    *_like("an NVIDIA or Tavily key", "nvapi- tvly-", _DASHED),
    *_like("a Firecrawl key", "fc-", "[0-9a-f]{32}", _HEX[:32]),
    *_like("a Jina key", "jina_", "[A-Za-z0-9_-]{40,}", _TAIL * 2),
    *_like("an E2B, Supabase or Pulumi key", "e2b_ sbp_ pul-", "[0-9a-f]{40}", _HEX[:40]),
    *_like("a LangSmith key", "lsv2_", "[ps][tk]_[A-Za-z0-9_]{20,}", f"pt_{_TAIL}"),
    *_like("a Pinecone key", "pcsk_", "(?=[A-Za-z_]*[0-9])[A-Za-z0-9_]{40,}", f"4x2Ab_{_TAIL * 2}"),
    *_like("a Databricks token", "dapi", "[0-9a-f]{32}", _HEX[:32]),
    *_like("a Slack token", "xox", "[abceoprsd]-(?=[A-Za-z-]*[0-9])[A-Za-z0-9-]{14,}",
           "b-123456789012-abcdefghij"),
    *_like("a Slack token", "xapp-", "(?=[A-Za-z-]*[0-9])[A-Za-z0-9-]{20,}", f"1-A0123-4567-{_TAIL}"),
    *_like("a Slack webhook", "com/services/ com/triggers/ com/workflows/",
           "T[A-Z0-9]{6,}/(?:[A-Z0-9]+/)+[A-Za-z0-9]{20,}", f"T01ABCDEF/B01ABCDEF/{_TAIL}"),
    KeyPattern("a Discord webhook", "webhooks/", "[0-9]{15,}/[A-Za-z0-9_-]{50,}",
               f"webhooks/123456789012345678/{_TAIL * 2}", "webhooks/123456789012345678/messages"),
    KeyPattern("a Teams webhook", "IncomingWebhook/", "[0-9A-Za-z]{32}(?:/[A-Za-z0-9_-]+)*",
               f"IncomingWebhook/{_HEX[:32]}/{_HEX[:8]}-0123", "IncomingWebhook/your-own-one-here"),
    KeyPattern("a Zapier webhook", "hooks/catch/", "[0-9]{4,}/[A-Za-z0-9]{5,}",
               "hooks/catch/1234567/bz4ab1c", "hooks/catch/the-ball/and"),
    KeyPattern("an IFTTT webhook", "with/key/", "[A-Za-z0-9_-]{20,}", f"with/key/{_TAIL}", "with/key/short"),
    # What comes before is the number of the bot, which is no secret.
    KeyPattern("a Telegram token", ":AA", "(?<=[0-9]{8}:AA)[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])",
               f"12345678:AA{_TAIL}xyz", ":AAbout_the_long-names-of_things-too"),
    *_like("an npm, Netlify, Linear or Notion token", "npm_ nfp_ lin_api_ lin_oauth_ ntn_",
           "[A-Za-z0-9]{30,}"),
    *_like("a PyPI token", "pypi-", "A(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{40,}", f"AgEIcHlwaS5vcmc{_TAIL}"),
    KeyPattern("a SendGrid key", "SG.", r"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
               f"SG.{_TAIL[:22]}.{_TAIL}{_TAIL[:13]}", "SG.version.of_the-image_is-here", True),
    *_like("a Brevo key", "xkeysib-", "[0-9a-f]{40,}[A-Za-z0-9-]*", _HEX),
    *_like("a Docker, Grafana or Fly token", "dckr_pat_ dckr_oat_ glsa_ glc_ fo1_", _DASHED),
    *_like("a Supabase or Square key", "sb_secret_ sq0csp- sq0atp- sq0idp-", _DASHED),
    *_like("a Vault token", "hvs. hvb. hvr.", _DASHED),
    KeyPattern("a Terraform token", "atlasv1.", "[A-Za-z0-9_=-]{40,}", f"atlasv1.{_TAIL * 2}",
               "atlasv1.tfstate"),
    *_like("a Sentry token", "sntrys_ sntryu_", r"[A-Za-z0-9+/=_-]{30,}"),
    *_like("a New Relic key", "NRAK-", "[A-Z0-9]{20,}", _HEX.upper()),
    *_like("a PostHog key", "phx_", "[A-Za-z0-9_]{30,}"),
    *_like("a Doppler token", "dp.pt. dp.st. dp.ct. dp.sa.", "[A-Za-z0-9_.-]{30,}"),
    *_like("a Shopify token", "shpat_ shpss_ shpca_ shppa_", "[0-9a-fA-F]{32}", _HEX[:32]),
    *_like("an Atlassian token", "ATATT3 ATCTT3", "[A-Za-z0-9_=-]{60,}", _TAIL * 3),
    *_like("a Postman key", "PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}", f"{_HEX[:24]}-{_HEX[:34]}"),
    *_like("a Figma token", "figd_", "[A-Za-z0-9_-]{36,}", _TAIL * 2),
    *_like("a Sourcegraph token", "sgp_", "(?:[A-Za-z0-9]{8,}_)?[0-9a-fA-F]{40}", _HEX[:40]),
    *_like("a 1Password token", "ops_", "eyJ[A-Za-z0-9+/]{60,}={0,2}", f"eyJ{_TAIL * 3}"),
    *_like("an age key", "AGE-SECRET-KEY-1", "[A-Z0-9]{50,}", _HEX.upper()),
    KeyPattern(
        "a JSON web token", "eyJ",
        r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "eyJhbGciOiJIUzI1NiJ9", True,
    ),
)
# fmt: on
"""All kinds of keys that are known. To add one, add a row: its example and look-alike are its tests."""

SHORTEST_RUN = 19
"""The shortest run of key characters, in bytes, that a key is looked for in."""

_PEM_NAME = rb"[ +](?:[A-Z0-9]+[ +])*PRIVATE[ +]KEY(?:[ +]BLOCK)?-----"
_BREAK = rb"(?:\s|\\+[nr]|%0[ADad])*"
PRIVATE_KEY = re.compile(
    # Also where it is in a string of JSON (`\n`), in a form (`+`, `%0A`), or was cut off.
    rb"-----BEGIN" + _PEM_NAME
    + rb"(?:(?:[A-Za-z0-9+/=\s\\%:,.]|-(?!----))*-----END" + _PEM_NAME
    + rb"|" + _BREAK + rb"(?:[A-Za-z0-9+/=]{16,}" + _BREAK + rb")+)"
)  # fmt: skip
BEARER = re.compile(
    rb"(?:[bB]earer|BEARER)(?:[ \t]+|\+|%20)"
    rb"(?P<token>sk-[A-Za-z0-9_-]{4,}"
    rb"|(?=[A-Za-z._~+/=-]*[0-9])(?=[0-9._~+/=-]*[A-Za-z])[A-Za-z0-9._~+/=-]{7,}[A-Za-z0-9_~+/=-])"
)
