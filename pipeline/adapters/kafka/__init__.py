"""Apache Kafka: the connection, the topics and their check, and Faust's driver as our promises need it."""
