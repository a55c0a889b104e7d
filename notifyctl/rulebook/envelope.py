"""Rules 1 to 27: channel, sender, recipients, and the settings of a request."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

KEY_CASE = Rule(
    3,
    "key-case",
    "Keys are case-sensitive: `notifyUrl`, not `notifyurl`. The API's webhooks write some keys in lower case, but requests"
    " must not.",
)
PROFILE_KEY = Rule(
    2,
    "profile-key",
    "The key exists only in profile 6.20 of the API, and the environment has profile 2021. If your account has release 6.20,"
    ' set `profile: "6.20"` in the environment. Otherwise remove the key.',
    profile="2021",
)
CONTACT_POLICY = Rule(
    2,
    "contact-policy",
    "`contactPolicy` needs the ID of a group (`contactPolicyGroup`), and at least one of `channelCheckConsent` and"
    " `channelApplyFrequencyCap` must be true. Otherwise the provider checks nothing, or refuses the request.",
)
SHARED_TO = Rule(
    80,
    "shared-to",
    "`multipleToRecipients: true` sends one email to several recipients, so each sees the addresses of the others. notifyctl"
    " records each recipient separately and puts recipients with equal values together, so it does not send such emails."
    " To send copies, use `cc`.",
)
BATCH_ID_UNUSED = Rule(
    2,
    "batch-id-unused",
    "`batchId` groups messages that the provider holds until they are due. Without `handOff: provider` in the schedule it is"
    " not sent.",
    W,
    profile="6.20",
)
KEY_OF_CHANNEL = Rule(
    2,
    "key-of-another-channel",
    "The notification has a key that only another channel has: `batchId` is for SMS, and `multipleToRecipients` for email.",
)
CHANNEL = Rule(4, "channel", "A template needs a `channel`: sms, email or rcs.")
SENDER = Rule(
    5, "no-sender", "A message needs a sender: `from` in the notification, or `senders` in the environment."
)
SMS_SENDER = Rule(
    6,
    "sms-sender",
    "The sender of an SMS must be a sender ID of letters and digits, a short code or a long code, without a leading +."
    " The limit is 11 characters with a letter, and 15 digits without. Phones cut a longer name, or carriers refuse it.",
)
EMAIL_SENDER = Rule(
    7, "email-sender", "The sender of an email must be one address of a domain registered with the account."
)
RCS_SENDER = Rule(
    8,
    "rcs-sender",
    "The sender of an RCS message must be the app ID of a chatbot, which the provider's console shows as `a_` and digits."
    " Another form is probably the ID of something else.",
    W,
)
DESTINATION = Rule(
    13,
    "destination",
    "A recipient needs one address or a list of addresses. An empty list or a blank address would send nothing.",
)
BAD_ADDRESS = Rule(
    14,
    "bad-address",
    "A phone number must have 7 to 15 digits, an optional leading +, and must not start with 0. An email address can have 64"
    " characters before the @, 255 after it and 320 in all. In YAML a wrong address is an error. In a row of a file it is a"
    " warning: the row is skipped.",
    also=(15,),
)
PLUS = Rule(
    14,
    "msisdn-without-plus",
    "The account accepts only numbers with a leading + (`limits.requirePlus` in the environment), and this one has none.",
)
REQUEST_SIZE = Rule(
    16,
    "destinations-per-request",
    "The limit for a request is 1,000 recipients, over all its `to` objects. With more, the API answers with code 7009.",
)
SAME_ADDRESS = Rule(
    18,
    "duplicate-address",
    "The first row is used and this one is skipped, so no address is sent a message twice.",
    W,
)
CORRELATION_ID = Rule(19, "correlation-id", "`correlationId` must not be empty.")
CORRELATION_TWICE = Rule(
    19,
    "correlation-id-repeated",
    "Two recipients have the same `correlationId`. It is returned in receipts, so their receipts look the same.",
    W,
)
CORRELATION_LONG = Rule(
    19,
    "correlation-id-long",
    "The API's first version cut a `correlationId` of more than 50 bytes.",
    W,
)
CALLBACK_DATA = Rule(
    20, "callback-data", "The limit for `callbackData` is 2,000 characters, including blanks."
)
NOTIFY_URL = Rule(
    21,
    "notify-url",
    "`notifyUrl` must be an https URL without blanks around it. http:// is accepted for this machine only.",
)
AUTH_WITHOUT_URL = Rule(
    53,
    "auth-without-url",
    "`notifyUrlAuthId` has no effect without `notifyUrl`: it authorises the calls that post receipts to that URL.",
    W,
    profile="6.20",
)
PRIORITY = Rule(22, "priority", "`priority` must be 1 (lowest), 2 or 3.")
PRIORITY_UNDOCUMENTED = Rule(
    22,
    "priority-undocumented",
    "The documentation of profile 6.20 has no `priority`, so the provider may ignore it.",
    W,
    profile="6.20",
)
CONTENT_OR_TEMPLATE = Rule(
    23,
    "content-or-template",
    "A message needs exactly one of `content` and `template`, which names a template stored at the provider.",
)
TEMPLATE_ID = Rule(
    24,
    "template-id",
    "The ID of a template stored at the provider must not be empty, for example 5S2XXXXFNR.",
)
OPTIONS = Rule(
    25,
    "channel-options",
    "`options` can have only keys of its channel. SMS: shortenLinks, domain, trackClicks, extras. Email: trackClicks,"
    " trackOpens, fromName. RCS: smsFallback, smsSenderId, text, carrierId. Profile 6.20 adds tag1, tag2 and allowFallbackURL"
    " to all of them; shortenLinks and domain to email and RCS; trackClicks to RCS; and listUnsubscribeUrl,"
    " unsubscribeEmailAddress and unsubscribeEmailSubject to email.",
    also=(55, 67, 83),
)
NO_CREDENTIAL = Rule(
    26,
    "no-credential",
    "An environment needs a service key or a JWT. `auth` names the environment variable or file that contains it. Nothing can"
    " be sent without it.",
)
TWO_CREDENTIALS = Rule(
    26,
    "two-credentials",
    "A service key and a JWT are both configured. The API uses the JWT and ignores the key, so the key is an unused secret"
    " that can leak.",
    W,
)
