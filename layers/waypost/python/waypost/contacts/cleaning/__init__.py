"""One spelling for every address, name of a place, date and number, or the reason why there is none.

Called by the receivers for what webhooks carry, and by imports for what stands in files.
"""

from waypost.contacts.cleaning.addresses import HOME_REGION, country_of, email, phone, takes_texts, user_id
from waypost.contacts.cleaning.outcome import Cleaned, Unusable
from waypost.contacts.cleaning.places import locale, region_of, time_zone

__all__ = [
    "HOME_REGION",
    "Cleaned",
    "Unusable",
    "country_of",
    "email",
    "locale",
    "phone",
    "region_of",
    "takes_texts",
    "time_zone",
    "user_id",
]
