"""Any chat model of LangChain."""
