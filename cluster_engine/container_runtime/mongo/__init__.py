"""What mongod and its clients share: documents, the part of mongosh's language that tutorials use, how it prints."""
