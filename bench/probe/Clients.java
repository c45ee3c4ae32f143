import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka's own clients, which have nothing to do with the programs that are measured. */
final class Clients {
  private Clients() {}

  /** @param bulk many records at once; otherwise each is sent within a millisecond */
  static KafkaProducer<byte[], String> producer(String boot, boolean bulk) {
    Properties config = new Properties();
    config.put("bootstrap.servers", boot);
    config.put("acks", "all");
    config.put("linger.ms", bulk ? "20" : "1");
    config.put("batch.size", bulk ? "131072" : "16384");
    config.put("buffer.memory", "67108864");
    return new KafkaProducer<>(config, new ByteArraySerializer(), new StringSerializer());
  }

  /** Sends the value to a partition; a failure ends the program. */
  static void send(KafkaProducer<byte[], String> producer, String topic, int partition, String value) {
    producer.send(
        new ProducerRecord<>(topic, partition, null, value),
        (written, error) -> {
          if (error == null) return;
          error.printStackTrace();
          Runtime.getRuntime().halt(2);
        });
  }

  /** Reads the topic from its beginning, as far as it is committed. */
  static KafkaConsumer<byte[], byte[]> reader(String boot, String topic) {
    Properties config = new Properties();
    config.put("bootstrap.servers", boot);
    config.put("isolation.level", "read_committed");
    config.put("enable.auto.commit", "false");
    config.put("max.poll.records", "50000");
    config.put("fetch.max.bytes", "33554432");
    config.put("max.partition.fetch.bytes", "8388608");
    config.put("fetch.min.bytes", "1");
    config.put("fetch.max.wait.ms", "100");
    KafkaConsumer<byte[], byte[]> reader = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        reader.partitionsFor(topic).stream().map(info -> new TopicPartition(topic, info.partition())).toList();
    reader.assign(partitions);
    reader.seekToBeginning(partitions);
    return reader;
  }

  /** One line of JSON, at once. */
  static void say(String json) {
    System.out.println(json);
    System.out.flush();
  }
}
