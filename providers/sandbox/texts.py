"""What the synthetic people are called and what they write. Plain data, all invented."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """What a call was about. `note` and `summary` are filled with `blanks` of `world`."""

    code: str
    tags: tuple[str, ...]
    note: str
    summary: str


AGENTS = (
    ("Mei", "Chan"),
    ("Jonas", "Bergström"),
    ("Aoife", "O'Connor"),
    ("Samir", "El-Khoury"),
    ("Priya", "Raghunathan"),
    ("Tomás", "Herrera"),
    ("Grace", "Okafor"),
    ("Yuki", "Tanaka"),
    ("Łukasz", "Wójcik"),
    ("Hannah", "Weiß"),
    ("Daniel", "Kim"),
    ("Fatima", "Zahra"),
    ("Marcus", "Reid"),
    ("Chloé", "Lefèvre"),
    ("Ravi", "Menon"),
    ("Ingrid", "Sørensen"),
    ("José", "Muñoz"),
    ("Leila", "Haddad"),
    ("Oliver", "Novák"),
    ("Thandiwe", "Dlamini"),
    ("Siu Ming", "Wong"),
    ("Elena", "Petrova"),
    ("Kwame", "Mensah"),
    ("Beatriz", "Gonçalves"),
    ("Noah", "van den Berg"),
    ("Anika", "Schröder"),
    ("Callum", "Fraser"),
    ("Nguyễn", "Minh"),
    ("Zoe", "Papadaki"),
    ("Isla", "Campbell"),
    ("Arjun", "Patel"),
    ("Marta", "Kowalska"),
    ("Ethan", "Brooks"),
    ("Sofía", "Ramírez"),
    ("Emre", "Yılmaz"),
    ("Ruth", "Abrams"),
)

FIRST_NAMES = (
    *("Alice", "Ben", "Carla", "David", "Emily", "Frank", "Georgia", "Harry", "Irene", "Jack"),
    *("Karen", "Liam", "Monica", "Nathan", "Olivia", "Peter", "Rachel", "Simon", "Tara", "Victor"),
    *("Zoë", "Björn", "François", "Jürgen", "Mónica", "Søren", "Agnieszka", "Dmitri", "Siobhán"),
    *("Amara", "Chidi", "Nadia", "Omar", "Pooja", "Rahul", "Mei-Ling", "Haruto", "Ji-woo", "Linh"),
)
LAST_NAMES = (
    *("Adams", "Baker", "Carter", "Dixon", "Edwards", "Foster", "Graham", "Hughes", "Ingram"),
    *("Jensen", "Keller", "Lambert", "Moreau", "Nowak", "Olsen", "Pereira", "Quinn", "Rossi"),
    *("Schneider", "Tremblay", "Ueda", "Vargas", "Whitfield", "Young", "Zimmermann", "Fernández"),
    *("García", "Håkansson", "Kovačević", "Lindqvist", "Müller", "Nakamura", "Oyelaran", "Park"),
    *("Rao", "Silva", "Tran", "Usman", "Venkataraman", "Wu", "Yamamoto", "Zhang"),
)
WHOLE_NAMES = (
    *(
        ("大輔", "佐藤"),
        ("美咲", "鈴木"),
        ("伟", "王"),
        ("秀英", "李"),
        ("민준", "김"),
        ("서연", "박"),
    ),
    *(("أحمد", "حسن"), ("فاطمة", "علي"), ("יעל", "כהן"), ("Олена", "Шевченко"), ("Иван", "Петров")),
    *(("Νίκος", "Παπαδόπουλος"), ("สมชาย", "ใจดี"), ("अर्जुन", "शर्मा"), ("志明", "陳")),
)

COMPANIES = ("Larkfield", "Northwind", "Ostra", "Bluegate", "Tessel", "Maple & Co", "Fjordline")

TOPICS = (
    Topic(
        "Refund",
        ("refund", "billing"),
        "Charged twice for order {order}. Refunded {amount}, 3-5 working days. Mailed receipt.",
        "Customer was charged twice for one order. Agent confirmed the duplicate and refunded it.",
    ),
    Topic(
        "Delivery",
        ("delivery",),
        "Parcel {order} stuck at depot since {day}. Opened case with carrier, will call back.",
        "Parcel has not moved for days. Agent opened a case with the carrier and promised a call.",
    ),
    Topic(
        "Password reset",
        ("login",),
        "Locked out after phone change. Verified by postcode + last invoice, reset 2FA, logged in.",
        "Customer could not log in after getting a new phone. Identity was checked, 2FA was reset.",
    ),
    Topic(
        "Callback requested",
        ("callback",),
        "Driving, asked us to ring {day} after 16:00. Wants the quote for 12 seats.",
        "Customer was driving and asked for a call later about a quote for twelve seats.",
    ),
    Topic(
        "Cancellation saved",
        ("retention", "vip"),
        "Wanted to cancel over the price rise. Offered {amount} off for 6 months, accepted.",
        "Customer wanted to cancel because of the new price and stayed after a discount.",
    ),
    Topic(
        "Cancellation",
        ("churn",),
        "Cancelled, moving to a competitor. Reason: no weekend support. Last invoice {amount}.",
        "Customer cancelled the contract. The main reason was that nobody answers at weekends.",
    ),
    Topic(
        "Fault report",
        ("technical", "tier-2"),
        "Router drops every 20 min, red light. Line test shows errors, engineer booked {day} AM.",
        "Connection drops several times an hour. The line test failed; an engineer was booked.",
    ),
    Topic(
        "How-to",
        ("technical",),
        "Walked through exporting the monthly report to CSV. Separator was set to ; in her locale.",
        "Customer could not open the exported report. The separator setting was the cause.",
    ),
    Topic(
        "Invoice query",
        ("billing",),
        "Why is the March invoice {amount} higher? Pro-rata for two extra users. Happy with that.",
        "Customer asked why the invoice was higher. Two users had been added in mid-month.",
    ),
    Topic(
        "Sale",
        ("sales", "upsell"),
        "Upgraded to Business, annual, {amount}. Send contract to accounts@ and cc him.",
        "Customer upgraded to the yearly business plan after a short comparison of the plans.",
    ),
    Topic(
        "Not interested",
        ("sales",),
        "Has a contract until next year. Do not call before November.",
        "The lead is bound by a contract and asked not to be called before November.",
    ),
    Topic(
        "Complaint",
        ("complaint", "escalated"),
        "Third call about {order}, nobody rang back. Apologised, escalated to team lead, {amount} "
        "goodwill. PLEASE call her before {day} noon - promised.",
        "Customer called for the third time about the same order and was upset. It was escalated.",
    ),
    Topic(
        "Address change",
        (),
        "New address from the 1st. Updated billing + shipping; {order} still to the old one.",
        "Customer is moving. Billing and shipping addresses were updated from the first.",
    ),
    Topic(
        "Wrong number",
        (),
        "Looking for the bakery next door again.",
        "The caller had dialled a wrong number.",
    ),
    Topic(
        "Warranty",
        ("warranty", "technical"),
        "Screen flickers after update 4.2. In warranty until {day}. RMA {order} sent by mail.",
        "Display flickers since the last update. A warranty return was opened.",
    ),
    Topic(
        "Appointment",
        ("callback",),
        "Moved installation to {day} 10-12. Gate code 4 digits in CRM, dog in the yard!",
        "Installation was moved to another day. The engineer needs a gate code.",
    ),
    Topic(
        "Voicemail left",
        ("voicemail",),
        "Left message: order {order} is ready for pick-up until {day}.",
        "The agent left a message that the order is ready.",
    ),
    Topic(
        "Réclamation",
        ("complaint", "fr"),
        "Colis {order} reçu abîmé, photos par mail. Renvoi gratuit + avoir de {amount}.",
        "Le client a reçu un colis abîmé. Un renvoi gratuit et un avoir ont été proposés.",
    ),
    Topic(
        "Rückfrage",
        ("billing", "de"),
        "Möchte Rechnung {order} auf die GmbH umschreiben lassen. Vorlage per E-Mail geschickt.",
        "Die Rechnung soll auf eine Firma umgeschrieben werden. Eine Vorlage wurde geschickt.",
    ),
    Topic(
        "問い合わせ",
        ("delivery", "ja"),
        "{order} の配送日を変更。{day} 午前中に再配達、本人確認済み。",
        "お客様は配送日の変更を希望され、再配達を手配しました。",
    ),
    Topic(
        "استفسار",
        ("billing", "ar"),
        "سأل عن الفاتورة {order}. تم إرسال نسخة بالبريد الإلكتروني.",
        "سأل العميل عن الفاتورة وتم إرسال نسخة منها.",
    ),
    Topic(
        "Fraud check",
        ("fraud", "tier-2"),
        "Did not recognise {amount} on {day}. Card blocked, dispute form sent, ref {order}.",
        "Customer did not recognise a payment. The card was blocked and a dispute was opened.",
    ),
    Topic(
        "Outage",
        ("technical", "outage"),
        "Affected by this morning's outage (see status page). Asked to be told when it is fixed.",
        "Customer was affected by the outage and wants a message when it is over.",
    ),
    Topic(
        "Survey",
        (),
        "NPS 9. Likes the night shift, wants dark mode in the portal.",
        "The customer answered the survey, gave a nine and asked for a dark mode.",
    ),
)

HOSTILE = (
    "Eve \x1b]0;owned\x07 Adams",
    "\x1b]52;c;cm0gLXJmIH4=\x07copied",
    "\x1b[2J\x1b[31mred and cleared\x1b[?1049h",
    "c1 \x9b31mcontrol\x9d0;title\x9c",
    "[red]markup[/red] [/] [b",
    "[@click=app.quit]click me[/]",
    "[link=https://evil.example.com]bank[/link]",
    "invoice\u202efdp.exe",
    "zero\u200bwidth\u2066isolated\u2069 \ufefftext",
    "ｗｉｄｅ 漢字漢字 👩‍👩‍👧‍👦 🏳️‍🌈",
    "z͑ͫ̓ͪ̂ͫ̽a̴̵̞̞̩l̨̳̗g͕o̼̖",
    "line one\nline two\r\x08\x08overwritten\ttabbed\x00nul",
    "\ud83d half a surrogate",
    "=HYPERLINK(\"http://evil.example.com\",\"invoice\")",
    "../../.ssh/authorized_keys",
    "'; DROP TABLE call; --",
    "x" * 300,
    "{name} %s %(token)s ${HOME} $(id) `id`",
)  # fmt: skip
"""Text that must not do anything: terminal sequences, markup, bidi, paths, formulas, SQL."""
