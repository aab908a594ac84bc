"""WhatsApp, through AWS End User Messaging Social."""
