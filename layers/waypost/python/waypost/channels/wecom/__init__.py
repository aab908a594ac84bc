"""Messages by WeCom: to members of the company, and to customers as tasks of the members who know them."""
