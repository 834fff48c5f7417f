"""The briefs of the clean businesses."""

from __future__ import annotations

from typing import Final

_REST: Final = """
[success]
gain_over_status_quo = { per_case = 0.5 }

[policy.refit]
first = "60d"
when = "every 30d"
"""

PARCELS: Final = f"""\
format = 1

[brief]
name = "parcels"
question = "Which parcels will be delivered more than twelve hours late?"
decision = "Send them by express"

[case]
source = "parcels"
decide_at = "sent_at - 1h"

[outcome]
kind = "binary"
classes = ["late", "on_time"]
positive = "late"
source = "deliveries"
truth = "case when delay_h > 12 then 'late' else 'on_time' end"
matures = "5d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = {{ action = "pass" }}

[value.of]
express = {{ late = 8, on_time = -3 }}
pass = {{ late = 0, on_time = 0 }}

[source.parcels]
read = "parcels.parquet"
key = "parcel_id"
happened_at = "sent_at"
known_at = "booked_at"
planned = true
timezone = "Europe/Vienna"

[source.deliveries]
read = "deliveries.parquet"
key = "parcel_id"
happened_at = "delivered_at"
known_at = "reported_at"

[source.pickups]
read = "pickups.parquet"
key = "pickup_id"
happened_at = "picked_at"
known_at = "noted_at"

[source.customers]
read = "customers.parquet"
key = "customer_id"
static = true

[feature]
service = {{ column = "service" }}
weight_kg = {{ column = "weight_kg" }}
length_cm = {{ column = "length_cm" }}
width_cm = {{ column = "width_cm" }}
worth_eur = {{ column = "worth_eur" }}
origin_city = {{ column = "origin_city" }}
hour = {{ expression = "local_hour(sent_at)" }}
volume_7d = {{ sum = "volume_l", of = "pickups", by = "customer_id", over = "7d" }}
home = {{ latest = "pickups.home_post_code", by = "customer_id" }}
segment = {{ lookup = "customers.segment", by = "customer_id" }}
since_on = {{ lookup = "customers.since_on", by = "customer_id" }}
limit_eur = {{ lookup = "customers.limit_eur", by = "customer_id" }}
{_REST}"""

MACHINES: Final = f"""\
format = 1

[brief]
name = "machines"
question = "Which machines will stand still for more than twenty minutes in this shift?"
decision = "Send a mechanic before they do"

[case]
source = "shifts"
decide_at = "started_at + 1h"

[outcome]
kind = "binary"
classes = ["stop", "run"]
positive = "stop"
source = "stops"
truth = "case when downtime_min > 20 then 'stop' else 'run' end"
matures = "2d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = {{ action = "pass" }}

[value.of]
inspect = {{ stop = 90, run = -25 }}
pass = {{ stop = 0, run = 0 }}

[source.shifts]
read = "shifts.parquet"
key = "shift_id"
happened_at = "started_at"
known_at = "logged_at"

[source.stops]
read = "stops.parquet"
key = "shift_id"
happened_at = "ended_at"
known_at = "confirmed_at"

[source.readings]
read = "readings.parquet"
key = "reading_id"
happened_at = "read_at"
known_at = "sent_at"

[source.machines]
read = "machines.parquet"
key = "machine_id"
static = true

[feature]
program = {{ column = "program" }}
load = {{ column = "load" }}
vibration_mm_s = {{ column = "vibration_mm_s" }}
oil_temp_c = {{ column = "oil_temp_c" }}
air_temp_c = {{ column = "air_temp_c" }}
operator = {{ column = "operator" }}
power_1d = {{ mean = "power_kwh", of = "readings", by = "machine_id", over = "1d" }}
pressure_1d = {{ std = "pressure_bar", of = "readings", by = "machine_id", over = "1d" }}
model = {{ latest = "readings.model", by = "machine_id" }}
hall = {{ lookup = "machines.hall", by = "machine_id" }}
built_on = {{ lookup = "machines.built_on", by = "machine_id" }}
rated_kw = {{ lookup = "machines.rated_kw", by = "machine_id" }}
{_REST}"""

ORDERS: Final = f"""\
format = 1

[brief]
name = "orders"
question = "Which orders will come back?"
decision = "Call the customer before the parcel is packed"

[case]
source = "orders"
decide_at = "ordered_at + 12h"

[outcome]
kind = "binary"
classes = ["returned", "kept"]
positive = "returned"
source = "returns"
truth = "case when refund_eur > 0 then 'returned' else 'kept' end"
matures = "25d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = {{ action = "pass" }}

[value.of]
call = {{ returned = "0.1 * net_eur - 2", kept = -2 }}
pass = {{ returned = 0, kept = 0 }}

[source.orders]
read = "orders.parquet"
key = "order_id"
happened_at = "ordered_at"
known_at = "stored_at"

[source.returns]
read = "returns.parquet"
key = "order_id"
happened_at = "closed_at"
known_at = "reported_at"

[source.visits]
read = "visits.parquet"
key = "visit_id"
happened_at = "visited_at"
known_at = "logged_at"

[source.customers]
read = "customers.parquet"
key = "customer_id"
static = true

[feature]
channel = {{ column = "channel" }}
items = {{ column = "items" }}
net_eur = {{ column = "net_eur" }}
gross_eur = {{ column = "gross_eur" }}
voucher_share = {{ column = "voucher_share" }}
ship_city = {{ column = "ship_city" }}
seconds_30d = {{ sum = "seconds", of = "visits", by = "customer_id", over = "30d" }}
device = {{ latest = "visits.device", by = "customer_id" }}
post_code = {{ latest = "visits.post_code", by = "customer_id" }}
tier = {{ lookup = "customers.tier", by = "customer_id" }}
born_on = {{ lookup = "customers.born_on", by = "customer_id" }}
joined_on = {{ lookup = "customers.joined_on", by = "customer_id" }}
{_REST}"""

LOANS: Final = f"""\
format = 1

[brief]
name = "loans"
question = "Which loans will be paid back more than a week late?"
decision = "Ask for a guarantor"

[case]
source = "applications"
decide_at = "applied_at + 2d"

[outcome]
kind = "binary"
classes = ["late", "in_time"]
positive = "late"
source = "repayments"
truth = "case when days_late > 7 then 'late' else 'in_time' end"
matures = "90d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = {{ action = "pass" }}

[value.of]
guarantor = {{ late = "0.02 * asked_eur", in_time = -15 }}
pass = {{ late = 0, in_time = 0 }}

[source.applications]
read = "applications.parquet"
key = "application_id"
happened_at = "applied_at"
known_at = "entered_at"

[source.repayments]
read = "repayments.parquet"
key = "application_id"
happened_at = "due_at"
known_at = "booked_at"

[source.payments]
read = "payments.parquet"
key = "payment_id"
happened_at = "paid_at"
known_at = "posted_at"

[source.people]
read = "people.parquet"
key = "person_id"
static = true

[feature]
purpose = {{ column = "purpose" }}
asked_eur = {{ column = "asked_eur" }}
income_eur = {{ column = "income_eur" }}
rent_eur = {{ column = "rent_eur" }}
term_months = {{ column = "term_months" }}
advisor = {{ column = "advisor" }}
paid_90d = {{ sum = "paid_eur", of = "payments", by = "person_id", over = "90d" }}
way = {{ latest = "payments.way", by = "person_id" }}
home_city = {{ latest = "payments.home_city", by = "person_id" }}
born_on = {{ lookup = "people.born_on", by = "person_id" }}
employed_on = {{ lookup = "people.employed_on", by = "person_id" }}
work = {{ lookup = "people.work", by = "person_id" }}
post_code = {{ lookup = "people.post_code", by = "person_id" }}
{_REST}"""
