"""Messages of the robots of staff groups: DingTalk, Feishu, WeCom."""
