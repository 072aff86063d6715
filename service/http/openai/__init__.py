"""The OpenAI Images API: the same drawings, asked for and answered in its words."""
