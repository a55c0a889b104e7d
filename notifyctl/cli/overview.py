"""What `notifyctl --help` prints, by columns of the terminal. Made by docs/generate.py; change `main.py` instead."""

from __future__ import annotations

HELP = {
    80: """\
Usage: notifyctl [OPTIONS] COMMAND [ARGS]...

  Notification-as-code: plan, review and send SMS, e-mail and RCS from YAML in
  git, never twice to anybody.

  notifyctl init hello && cd hello     start a project
  notifyctl plan                       who would get what
  notifyctl apply                      send it, here into the embedded sandbox

Options:
  --version                    Show the version and exit.
  -C, --chdir DIR              The project's folder; without it the nearest
                               notifyctl.yaml upwards, else ./notifications.
  -e, --env NAME               The environment; without it the project's
                               defaultEnvironment.
  --color [auto|always|never]  Colours: auto (on a terminal, unless NO_COLOR
                               is set), always or never.
  -v, --verbose                Say more; show tracebacks.
  -h, --help                   Show this message and exit.

Commands:
  init        Start a project that lints, plans and applies at once.
  lint        Check a project's files, offline.
  fmt         Bring the files into one form, comments and quotes kept.
  explain     Say what a rule means, or why a person will or won't get a
              notification.
  render      Show what people would read.
  preview     Show messages as their readers meet them, on one page.
  plan        Show who would get what, and what would change.
  show        Show a saved plan.
  review      Put the plan on a pull request as a comment.
  apply       Send what the plan says, each message once.
  status      Count what was sent, by outcome and receipt.
  history     List what was done, by whom and from which commit.
  resolve     Settle people whose outcome is uncertain.
  withdraw    Stop what has not been sent of an edition.
  receipts    Take receipts in, by HTTP or from a file.
  ledger      Make a ledger, show, verify, export or adopt it.
  sandbox     Run the embedded API, or read its inbox.
  schema      Print the JSON Schema of the files.
  completion  Print shell completion for bash, zsh or fish.
""",
    110: """\
Usage: notifyctl [OPTIONS] COMMAND [ARGS]...

  Notification-as-code: plan, review and send SMS, e-mail and RCS from YAML in git, never twice to anybody.

  notifyctl init hello && cd hello     start a project
  notifyctl plan                       who would get what
  notifyctl apply                      send it, here into the embedded sandbox

Options:
  --version                    Show the version and exit.
  -C, --chdir DIR              The project's folder; without it the nearest notifyctl.yaml upwards, else
                               ./notifications.
  -e, --env NAME               The environment; without it the project's defaultEnvironment.
  --color [auto|always|never]  Colours: auto (on a terminal, unless NO_COLOR is set), always or never.
  -v, --verbose                Say more; show tracebacks.
  -h, --help                   Show this message and exit.

Commands:
  init        Start a project that lints, plans and applies at once.
  lint        Check a project's files, offline.
  fmt         Bring the files into one form, comments and quotes kept.
  explain     Say what a rule means, or why a person will or won't get a notification.
  render      Show what people would read.
  preview     Show messages as their readers meet them, on one page.
  plan        Show who would get what, and what would change.
  show        Show a saved plan.
  review      Put the plan on a pull request as a comment.
  apply       Send what the plan says, each message once.
  status      Count what was sent, by outcome and receipt.
  history     List what was done, by whom and from which commit.
  resolve     Settle people whose outcome is uncertain.
  withdraw    Stop what has not been sent of an edition.
  receipts    Take receipts in, by HTTP or from a file.
  ledger      Make a ledger, show, verify, export or adopt it.
  sandbox     Run the embedded API, or read its inbox.
  schema      Print the JSON Schema of the files.
  completion  Print shell completion for bash, zsh or fish.
""",
}
