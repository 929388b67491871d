"""An appointment as an iCalendar file (RFC 5545), for the requester's and the technician's own calendars."""

import datetime as dt

from icalendar import Calendar, Event

from services.incidents.models import Appointment, AppointmentState, Incident


def written(incident: Incident, appointment: Appointment) -> bytes:
    """Return a calendar with the appointment as its one event; moving it keeps the event and raises its sequence."""
    event = Event()
    event.add("uid", f"{incident.id}@incident-appointments")
    event.add("sequence", int(appointment.proposed_at.timestamp()) // 60)
    event.add("dtstamp", (appointment.answered_at or appointment.proposed_at).astimezone(dt.UTC))
    event.add("dtstart", appointment.starts_at.astimezone(dt.UTC))
    event.add("dtend", appointment.ends_at.astimezone(dt.UTC))
    event.add("summary", f"{incident.number} {incident.title}")
    event.add("status", "CONFIRMED" if appointment.state is AppointmentState.ACCEPTED else "TENTATIVE")
    if appointment.place:
        event.add("location", appointment.place)
    if appointment.note:
        event.add("description", appointment.note)
    calendar = Calendar()
    calendar.add("prodid", "-//Government Digital Infrastructure Self-Service Portal//Appointments//TH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
