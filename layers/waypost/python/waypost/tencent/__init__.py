"""What the interfaces of WeChat and WeCom have in common: access tokens, calls, and callbacks with their crypto and XML."""
