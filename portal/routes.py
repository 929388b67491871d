"""Every address of the portal, with who may go there.

The permission is part of the declaration: a route without one cannot be built. PUBLIC is anybody, SIGNED_IN anybody
signed in (also who belongs to no organisation yet), MACHINE no browser.
"""

from auth.rules import Permission as May
from portal.api import catalogue as catalogue_api
from portal.api import progress as progress_api
from portal.api import requests as requests_api
from portal.api import usage as usage_api
from portal.edge import MACHINE, PUBLIC, SIGNED_IN, Page, page
from portal.pages import (
    access,
    account,
    acknowledgements,
    audit_log,
    automation,
    billing_desk,
    budgets,
    capacity,
    catalogue,
    catalogue_edit,
    clock,
    component_edit,
    contact,
    costs,
    delegations,
    documents,
    exports,
    health,
    holidays,
    home,
    news,
    profile,
    providers,
    requests,
    review,
    services,
    signing,
    tokens,
    usage_upload,
    users,
    work,
)
from portal.settings import Settings

_PAGES = (
    page("GET", "/", home.show, PUBLIC, name="home"),
    # Signing in and out
    page("GET", "/sign-in", signing.sign_in, PUBLIC, name="sign_in", alone=True),
    page("GET", "/sign-in/again", signing.again, PUBLIC, name="sign_in.again", alone=True),
    page("GET", "/sign-in/callback", signing.callback, PUBLIC, name="sign_in.callback", alone=True),
    page("POST", "/sign-out", signing.sign_out, PUBLIC, name="sign_out", alone=True),
    page("POST", "/sign-out/everywhere", account.leave_everywhere, SIGNED_IN, name="sign_out.everywhere", alone=True),
    page("GET", "/signed-out", signing.signed_out, PUBLIC, name="signed_out", alone=True),
    page("POST", "/back-channel-logout", signing.back_channel_logout, MACHINE, name="back_channel_logout"),
    # One's own account
    page("GET", "/language/{code}", account.language, PUBLIC, name="language", alone=True),
    page("GET", "/account", account.show, SIGNED_IN, name="account", alone=True),
    page("POST", "/account/sessions/{id:uuid}/end", account.end_session, SIGNED_IN, name="account.end", alone=True),
    page("POST", "/organisation", account.switch_organisation, SIGNED_IN, name="organisation", alone=True),
    page("GET", "/access", access.show, SIGNED_IN, name="access", alone=True),
    page("POST", "/access", access.ask, SIGNED_IN, name="access.ask", alone=True),
    page("GET", "/contact", contact.show, PUBLIC, name="contact", alone=True),
    page("GET", "/news", news.show, May.OWN_ACCOUNT, name="news"),
    page("POST", "/news/read", news.read, May.OWN_ACCOUNT, name="news.read"),
    # The agency's profile
    page("GET", "/agency", profile.show, May.AGENCY_READ, name="agency"),
    page("GET", "/agency/edit", profile.edit, May.AGENCY_EDIT, name="agency.edit"),
    page("POST", "/agency", profile.save, May.AGENCY_EDIT, name="agency.save"),
    page("POST", "/agency/asker-may-confirm", profile.allow_asker, May.USERS_GRANT, name="agency.asker"),
    page("GET", "/agency/coordinators/new", profile.new_coordinator, May.AGENCY_EDIT, name="coordinator.new"),
    page("POST", "/agency/coordinators", profile.add_coordinator, May.AGENCY_EDIT, name="coordinator.add"),
    page("GET", "/agency/coordinators/{id:uuid}", profile.coordinator, May.AGENCY_EDIT, name="coordinator"),
    page("POST", "/agency/coordinators/{id:uuid}", profile.save_coordinator, May.AGENCY_EDIT, name="coordinator.save"),
    page(
        "POST", "/agency/coordinators/{id:uuid}/end", profile.end_coordinator, May.AGENCY_EDIT, name="coordinator.end"
    ),
    page("GET", "/delegations", delegations.show, May.REQUESTS_CONFIRM, name="delegations"),
    page("POST", "/delegations", delegations.give, May.REQUESTS_CONFIRM, name="delegation.give"),
    page("POST", "/delegations/{id:uuid}/end", delegations.end, May.REQUESTS_CONFIRM, name="delegation.end"),
    page("GET", "/agencies", profile.agencies_page, May.AGENCY_READ, name="agencies"),
    page("GET", "/agencies/{id:uuid}", profile.show_agency, May.AGENCY_READ, name="agency_of"),
    # Services in use, what is on offer, and what it costs
    page("GET", "/services", services.index, May.SERVICES_READ, name="services"),
    page("GET", "/services/{id:uuid}", services.show, May.SERVICES_READ, name="service"),
    page("GET", "/catalogue", catalogue.index, May.CATALOGUE_READ, name="catalogue"),
    page("GET", "/catalogue/{code}", catalogue.show, May.CATALOGUE_READ, name="offering"),
    page("GET", "/costs", costs.index, May.COSTS_READ, name="costs"),
    page("GET", "/documents", documents.show, May.COSTS_READ, name="documents"),
    page("GET", "/documents/{id:uuid}", documents.sheet, May.COSTS_READ, name="document"),
    page("GET", "/documents/{id:uuid}/data", documents.data, May.COSTS_READ, name="document.data"),
    page("GET", "/exports/costs/{kind}", exports.costs, May.COSTS_READ, name="exports.costs"),
    # The provider's billing desk
    page("GET", "/billing", billing_desk.show, May.BILLS_ISSUE, name="billing"),
    page("POST", "/billing/policy", billing_desk.save_policy, May.BILLS_ISSUE, name="billing.policy"),
    page("GET", "/billing/invoices", billing_desk.open_invoices, May.BILLS_ISSUE, name="billing.invoices"),
    page("GET", "/billing/invoices/{id:uuid}", billing_desk.invoice, May.BILLS_ISSUE, name="billing.invoice"),
    page("POST", "/billing/invoices/{id:uuid}/payments", billing_desk.pay, May.BILLS_ISSUE, name="billing.pay"),
    page("POST", "/billing/invoices/{id:uuid}/notes", billing_desk.note, May.BILLS_ISSUE, name="billing.note"),
    page(
        "POST",
        "/billing/credits/{id:uuid}/withdrawal",
        billing_desk.withdraw_credit,
        May.BILLS_ISSUE,
        name="billing.credit.withdraw",
    ),
    page("GET", "/billing/drafts/{agency:uuid}/{month}", billing_desk.draft, May.BILLS_ISSUE, name="billing.draft"),
    page(
        "POST",
        "/billing/drafts/{agency:uuid}/{month}/review",
        billing_desk.review_draft,
        May.BILLS_ISSUE,
        name="billing.review",
    ),
    page(
        "POST",
        "/billing/drafts/{agency:uuid}/{month}/issue",
        billing_desk.issue_draft,
        May.BILLS_ISSUE,
        name="billing.issue",
    ),
    page(
        "POST",
        "/billing/drafts/{agency:uuid}/{month}/credits",
        billing_desk.give_credit,
        May.BILLS_ISSUE,
        name="billing.credits",
    ),
    page("GET", "/costs/{month}", costs.month, May.COSTS_READ, name="costs.month"),
    page("POST", "/costs/{month}/check", acknowledgements.check, May.USAGE_ACKNOWLEDGE, name="acknowledgement"),
    page("GET", "/budgets", budgets.show, May.BUDGETS_EDIT, name="budgets"),
    page("POST", "/budgets", budgets.save, May.BUDGETS_EDIT, name="budgets.save"),
    # Editing the catalogue
    page("GET", "/offerings", catalogue_edit.index, May.CATALOGUE_EDIT, name="offerings"),
    page("GET", "/offerings/new", catalogue_edit.new, May.CATALOGUE_EDIT, name="offering.new"),
    page("POST", "/offerings", catalogue_edit.add, May.CATALOGUE_EDIT, name="offering.add"),
    page("GET", "/offerings/{id:uuid}", catalogue_edit.edit, May.CATALOGUE_EDIT, name="offering.edit"),
    page("POST", "/offerings/{id:uuid}", catalogue_edit.save, May.CATALOGUE_EDIT, name="offering.save"),
    page("POST", "/offerings/{id:uuid}/addons", catalogue_edit.add_addon, May.CATALOGUE_EDIT, name="offering.addon"),
    page(
        "GET",
        "/offerings/{id:uuid}/components/new",
        catalogue_edit.new_component,
        May.CATALOGUE_EDIT,
        name="component.new",
    ),
    page(
        "POST",
        "/offerings/{id:uuid}/components",
        catalogue_edit.add_component,
        May.CATALOGUE_EDIT,
        name="component.add",
    ),
    page("GET", "/components/{id:uuid}", component_edit.show, May.CATALOGUE_EDIT, name="component"),
    page(
        "POST", "/components/{id:uuid}/bounds", component_edit.save_bounds, May.CATALOGUE_EDIT, name="component.bounds"
    ),
    page("POST", "/components/{id:uuid}/prices", component_edit.set_price, May.CATALOGUE_EDIT, name="component.price"),
    page("GET", "/offerings/{id:uuid}/automation", automation.show, May.CATALOGUE_EDIT, name="automation"),
    page("POST", "/offerings/{id:uuid}/automation", automation.set_up, May.CATALOGUE_EDIT, name="automation.set"),
    page("POST", "/offerings/{id:uuid}/automation/stop", automation.stop, May.CATALOGUE_EDIT, name="automation.stop"),
    page("POST", "/dispatches/{id:uuid}/again", automation.send_again, May.CATALOGUE_EDIT, name="dispatch.again"),
    page("GET", "/providers", providers.show, May.OWN_ACCOUNT, name="providers"),
    page("POST", "/providers/{id:uuid}/{family}", providers.enter, May.PROVIDERS_LIST, name="provider.listing"),
    page(
        "GET",
        "/providers/{id:uuid}/{family}/revocation",
        providers.ask_revocation,
        May.PROVIDERS_LIST,
        name="provider.revocation",
    ),
    page(
        "POST",
        "/providers/{id:uuid}/{family}/revocation",
        providers.take_off,
        May.PROVIDERS_LIST,
        name="provider.revoke",
    ),
    page("GET", "/holidays", holidays.show, May.OWN_ACCOUNT, name="holidays"),
    page("GET", "/holidays/calendar.ics", holidays.download, May.OWN_ACCOUNT, name="holidays.file"),
    page("POST", "/holidays", holidays.announce, May.HOLIDAYS_EDIT, name="holidays.declare"),
    page("POST", "/holidays/import", holidays.upload, May.HOLIDAYS_EDIT, name="holidays.import"),
    page("GET", "/holidays/{day}/withdrawal", holidays.ask_withdrawal, May.HOLIDAYS_EDIT, name="holiday.withdrawal"),
    page("POST", "/holidays/{day}/withdrawal", holidays.take_back, May.HOLIDAYS_EDIT, name="holiday.withdraw"),
    page("GET", "/capacity", capacity.index, May.CAPACITY_READ, name="capacity"),
    page("GET", "/capacity/{id:uuid}", capacity.show, May.CAPACITY_READ, name="pool"),
    page("POST", "/capacity/{id:uuid}/size", capacity.change, May.CAPACITY_EDIT, name="pool.size"),
    # Asking for something, and following it
    page("GET", "/requests", requests.listed_page, May.REQUESTS_READ, name="requests"),
    page("GET", "/requests/new", requests.new, May.REQUESTS_MAKE, name="request_new"),
    page("GET", "/requests/preview", requests.preview, May.REQUESTS_MAKE, name="requests.preview"),
    page("POST", "/requests", requests.create, May.REQUESTS_MAKE, name="requests.create"),
    page("GET", "/requests/{id:uuid}", requests.show, May.REQUESTS_READ, name="request"),
    page("POST", "/requests/{id:uuid}", requests.save, May.REQUESTS_MAKE, name="request.save"),
    page("GET", "/requests/{id:uuid}/edit", requests.edit, May.REQUESTS_MAKE, name="request.edit"),
    page("POST", "/requests/{id:uuid}/submission", requests.submit, May.REQUESTS_MAKE, name="request.submission"),
    page("POST", "/requests/{id:uuid}/withdrawal", requests.withdraw, May.REQUESTS_MAKE, name="request.withdrawal"),
    page("POST", "/requests/{id:uuid}/messages", requests.say, May.REQUESTS_READ, name="request.message"),
    page("POST", "/requests/{id:uuid}/copy", requests.copy, May.REQUESTS_MAKE, name="request.copy"),
    page("POST", "/requests/{id:uuid}/dispute", requests.dispute, May.REQUESTS_MAKE, name="request.dispute"),
    page("POST", "/requests/{id:uuid}/undoing", requests.undo, May.REQUESTS_MAKE, name="request.undoing"),
    page(
        "POST",
        "/requests/{id:uuid}/files",
        requests.attach,
        May.REQUESTS_READ,
        name="request.attach",
        body_limit=requests.BODY_LIMIT,
    ),
    page("GET", "/requests/{id:uuid}/files/{file:uuid}", requests.fetch, May.REQUESTS_READ, name="request.file"),
    page(
        "POST",
        "/requests/{id:uuid}/files/{file:uuid}/removal",
        requests.remove,
        May.REQUESTS_READ,
        name="request.detach",
    ),
    # The provider's review, the quote, the customer's decision, the work
    page("GET", "/requests/{id:uuid}/review", review.show, May.REQUESTS_REVIEW, name="request.review"),
    page("POST", "/requests/{id:uuid}/review", review.accept, May.REQUESTS_REVIEW, name="request.acceptance"),
    page("POST", "/requests/{id:uuid}/assignment", review.assign, May.REQUESTS_REVIEW, name="request.assignment"),
    page("POST", "/requests/{id:uuid}/checks/{kind}", review.check, May.REQUESTS_REVIEW, name="request.check"),
    page("POST", "/requests/{id:uuid}/return", review.send_back, May.REQUESTS_REVIEW, name="request.return"),
    page("POST", "/requests/{id:uuid}/rejection", review.reject, May.REQUESTS_REVIEW, name="request.rejection"),
    page("POST", "/requests/{id:uuid}/quote", review.answer, May.REQUESTS_REVIEW, name="request.answer"),
    page("GET", "/requests/{id:uuid}/quote", requests.quote, May.REQUESTS_READ, name="request.quote"),
    page(
        "POST", "/requests/{id:uuid}/confirmation", requests.confirm, May.REQUESTS_CONFIRM, name="request.confirmation"
    ),
    page("POST", "/requests/{id:uuid}/refusal", requests.decline, May.REQUESTS_CONFIRM, name="request.refusal"),
    page("GET", "/work", work.show, May.WORK_READ, name="work"),
    page("POST", "/requests/{id:uuid}/work", work.start, May.WORK_DO, name="request.work"),
    page("POST", "/requests/{id:uuid}/work/steps/{position:int}", work.step, May.WORK_DO, name="request.step"),
    # People and rights
    page("GET", "/users", users.show, May.USERS_GRANT, name="users"),
    page("POST", "/users/{person:uuid}/grant", users.grant_role, May.USERS_GRANT, name="users.grant"),
    page("GET", "/users/{person:uuid}/revoke/{role}", users.ask_revoke, May.USERS_GRANT, name="users.ask_revoke"),
    page("POST", "/users/{person:uuid}/revoke/{role}", users.revoke_role, May.USERS_GRANT, name="users.revoke"),
    page("POST", "/users/requests/{id:uuid}/decide", users.decide, May.USERS_GRANT, name="users.decide"),
    page("GET", "/audit", audit_log.show, May.AUDIT_READ, name="audit"),
    # Machines: letting them in, and what they report
    page("GET", "/tokens", tokens.show, May.MACHINES_ADMIT, name="tokens"),
    page("POST", "/tokens", tokens.create, May.MACHINES_ADMIT, name="tokens.create"),
    page("GET", "/tokens/{id:uuid}/revoke", tokens.ask_revoke, May.MACHINES_ADMIT, name="tokens.ask_revoke"),
    page("POST", "/tokens/{id:uuid}/revoke", tokens.revoke_token, May.MACHINES_ADMIT, name="tokens.revoke"),
    page(
        "POST", "/api/v1/work-orders/{id:uuid}/progress", progress_api.take_progress, MACHINE, name="api.work.progress"
    ),
    page("GET", "/usage/upload", usage_upload.show, May.USAGE_ENTER, name="usage.upload"),
    page("POST", "/usage/upload", usage_upload.preview, May.USAGE_ENTER, name="usage.preview", body_limit=4 << 20),
    page("POST", "/usage", usage_upload.store, May.USAGE_ENTER, name="usage.store", body_limit=4 << 20),
    page("GET", "/api/v1/requests", requests_api.list_requests, MACHINE, name="api.requests"),
    page("POST", "/api/v1/requests", requests_api.draft_request, MACHINE, name="api.requests.draft"),
    page("GET", "/api/v1/requests/{id:uuid}", requests_api.show_request, MACHINE, name="api.request"),
    page("POST", "/api/v1/requests/{id:uuid}/submit", requests_api.submit_request, MACHINE, name="api.request.submit"),
    page(
        "POST",
        "/api/v1/requests/{id:uuid}/withdraw",
        requests_api.withdraw_request,
        MACHINE,
        name="api.request.withdraw",
    ),
    page("GET", "/api/v1/offerings", catalogue_api.list_offerings, MACHINE, name="api.offerings"),
    page("POST", "/api/v1/components/{id:uuid}/prices", catalogue_api.set_price, MACHINE, name="api.component.price"),
    page("POST", "/api/v1/usage", usage_api.take_usage, MACHINE, name="api.usage", body_limit=usage_api.BODY_LIMIT),
    # For the machine that watches
    page("GET", "/healthz", health.alive, MACHINE, name="healthz"),
    page("GET", "/readyz", health.ready, MACHINE, name="readyz"),
)

# Only where there is a demo clock.
_DEMO_PAGES = (
    page("GET", "/clock", clock.show, May.CLOCK_MOVE, name="clock"),
    page("POST", "/clock/set", clock.set_to, May.CLOCK_MOVE, name="clock.set", alone=True),
    page("POST", "/clock/advance", clock.advance, May.CLOCK_MOVE, name="clock.advance", alone=True),
    page("POST", "/clock/hold", clock.hold, May.CLOCK_MOVE, name="clock.hold", alone=True),
    page("POST", "/clock/release", clock.release, May.CLOCK_MOVE, name="clock.release", alone=True),
)


def pages(settings: Settings) -> tuple[Page, ...]:
    """Return the pages there are by these settings."""
    return _PAGES + (_DEMO_PAGES if settings.demo_clock else ())
