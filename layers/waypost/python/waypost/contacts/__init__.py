"""Who a contact is: profile, identities, consent and suppression."""
