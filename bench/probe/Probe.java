import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;

/**
 * The benchmark's side of Kafka. It says what it does on standard output, one line of JSON each, and ends in order when its
 * standard input ends.
 *
 * <pre>
 *   load   BOOT TOPIC SHAPE SEED LINES             writes the lines as fast as it can
 *   steady BOOT TOPIC SHAPE SEED RATE SECONDS      writes RATE lines a second until SECONDS have passed or its input ends
 *   read   BOOT TOPIC                              reads what is committed, and for how long each record was under way: of
 *                                                  those made since a line came on its input
 *   ping   BOOT IN OUT SECONDS SKIP_MS             one record, wait until its result is committed, the next record
 *   bursts BOOT TOPIC KEYS                         for each number on its input: a burst of records of so many keys of KEYS
 *   verify BOOT IN OUT SHAPE                       see Verify
 * </pre>
 */
public final class Probe {
  private Probe() {}

  private static volatile boolean ended;
  private static volatile long countFromMs = Long.MAX_VALUE;

  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "load" -> {
        endWithInput(0);
        load(args[1], args[2], Lines.of(args[3], Long.parseLong(args[4])), Long.parseLong(args[5]));
      }
      case "steady" -> {
        endWithInput(FINISH_WITHIN_MS);
        steady(args[1], args[2], Lines.of(args[3], Long.parseLong(args[4])), Double.parseDouble(args[5]), Long.parseLong(args[6]));
      }
      case "read" -> {
        endWithInput(FINISH_WITHIN_MS);
        read(args[1], args[2]);
      }
      case "ping" -> {
        endWithInput(0);
        ping(args[1], args[2], args[3], Long.parseLong(args[4]), Long.parseLong(args[5]));
      }
      case "bursts" -> bursts(args[1], args[2], Long.parseLong(args[3]));
      case "verify" -> {
        endWithInput(0);
        Verify.run(args[1], args[2], args[3], args[4]);
      }
      default -> throw new IllegalArgumentException("no mode is named " + args[0]);
    }
  }

  /** Who asked may be gone, and the broker with it: then nothing is finished any more, and it ends all the same. */
  private static final long FINISH_WITHIN_MS = 30_000;

  /** @param withinMs how long it may go on when its input has ended */
  private static void endWithInput(long withinMs) {
    Thread waiting =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) countFromMs = Math.min(countFromMs, System.currentTimeMillis());
                ended = true;
                Thread.sleep(withinMs);
              } catch (IOException | InterruptedException gone) {
                // The same as its end.
              }
              Runtime.getRuntime().halt(3);
            });
    waiting.setDaemon(true);
    waiting.start();
  }

  private static void load(String boot, String topic, Lines lines, long count) {
    try (KafkaProducer<byte[], String> producer = Clients.producer(boot, true)) {
      int partitions = producer.partitionsFor(topic).size();
      for (long line = 0; line < count; line++) {
        Clients.send(producer, topic, (int) (line % partitions), lines.next());
        if (line % 1_000_000 == 999_999) Clients.say("{\"lines\":" + (line + 1) + "}");
      }
      producer.flush();
    }
    Clients.say("{\"done\":true,\"lines\":" + count + ",\"records\":" + lines.records() + "}");
  }

  private static void steady(String boot, String topic, Lines lines, double rate, long seconds) {
    try (KafkaProducer<byte[], String> producer = Clients.producer(boot, false)) {
      int partitions = producer.partitionsFor(topic).size();
      long startNs = System.nanoTime();
      long line = 0;
      long latestNs = 0;
      Clients.say("{\"started\":" + System.currentTimeMillis() + "}");
      for (long last = (long) (rate * seconds); line < last && !ended; line++) {
        long dueNs = startNs + (long) (line * 1e9 / rate);
        // It sleeps: to wait in a loop would take a core from what is measured.
        for (long left; (left = dueNs - System.nanoTime()) > 0; ) LockSupport.parkNanos(left);
        latestNs = Math.max(latestNs, System.nanoTime() - dueNs);
        Clients.send(producer, topic, (int) (line % partitions), lines.next());
      }
      producer.flush();
      long ms = (System.nanoTime() - startNs) / 1_000_000;
      Clients.say(
          String.format(
              "{\"done\":true,\"lines\":%d,\"records\":%d,\"ms\":%d,\"mostLateMs\":%d}", line, lines.records(), ms, latestNs / 1_000_000));
    }
  }

  private static void read(String boot, String topic) {
    Latencies latencies = new Latencies();
    long records = 0;
    try (KafkaConsumer<byte[], byte[]> reader = Clients.reader(boot, topic)) {
      reader.poll(Duration.ofMillis(10));
      Clients.say("{\"ready\":true}");
      while (!ended) {
        ConsumerRecords<byte[], byte[]> batch = reader.poll(Duration.ofMillis(100));
        if (batch.isEmpty()) continue;
        long nowMs = System.currentTimeMillis();
        long newestMs = 0;
        for (ConsumerRecord<byte[], byte[]> record : batch) {
          long madeMs = record.timestamp();
          newestMs = Math.max(newestMs, madeMs);
          if (madeMs >= countFromMs) latencies.add(nowMs - madeMs);
        }
        records += batch.count();
        Clients.say("{\"at\":" + nowMs + ",\"records\":" + records + ",\"newest\":" + newestMs + "}");
      }
    }
    Clients.say("{\"done\":true,\"records\":" + records + "," + latencies.json() + "}");
  }

  private static void ping(String boot, String in, String out, long seconds, long skipMs) {
    Latencies latencies = new Latencies();
    long sent = 0;
    try (KafkaProducer<byte[], String> producer = Clients.producer(boot, false);
        KafkaConsumer<byte[], byte[]> reader = Clients.reader(boot, out)) {
      int partitions = producer.partitionsFor(in).size();
      long countFromMs = 0;
      long untilMs = Long.MAX_VALUE;
      for (long nowMs = System.currentTimeMillis(); nowMs < untilMs; ) {
        Clients.send(producer, in, (int) (sent % partitions), "k" + sent % 1000);
        sent++;
        long sentMs = nowMs;
        for (int seen = 0; seen == 0; ) {
          seen = reader.poll(Duration.ofSeconds(1)).count();
          if (System.currentTimeMillis() > sentMs + 60_000) throw new IllegalStateException("no result within 60 s of record " + sent);
        }
        nowMs = System.currentTimeMillis();
        if (sent == 1) {
          // The first one waited for the start of everything.
          countFromMs = nowMs + skipMs;
          untilMs = countFromMs + seconds * 1_000;
          Clients.say("{\"first\":" + nowMs + "}");
        }
        if (sentMs >= countFromMs) {
          if (latencies.count() == 0) Clients.say("{\"counting\":" + nowMs + "}");
          latencies.add(nowMs - sentMs);
        }
      }
    }
    Clients.say("{\"done\":true,\"records\":" + sent + ",\"seconds\":" + seconds + "," + latencies.json() + "}");
  }

  private static void bursts(String boot, String topic, long keys) throws IOException {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    long burst = 0;
    try (KafkaProducer<byte[], String> producer = Clients.producer(boot, true)) {
      int partitions = producer.partitionsFor(topic).size();
      Clients.say("{\"ready\":true}");
      for (String asked; (asked = input.readLine()) != null; burst++) {
        long count = Long.parseLong(asked.trim());
        long stride = Math.max(1, keys / count);
        long startedMs = System.currentTimeMillis();
        StringBuilder line = new StringBuilder();
        for (long index = 0; index < count; index++) {
          // All over the keys, and others each time.
          line.append(line.isEmpty() ? "k" : " k").append((index * stride + burst) % keys);
          if (index % Lines.NumberedKeys.IN_A_LINE == Lines.NumberedKeys.IN_A_LINE - 1 || index == count - 1) {
            Clients.send(producer, topic, (int) (index % partitions), line.toString());
            line.setLength(0);
          }
        }
        producer.flush();
        Clients.say("{\"burst\":" + burst + ",\"started\":" + startedMs + ",\"sent\":" + System.currentTimeMillis() + "}");
      }
    }
    Clients.say("{\"done\":true,\"bursts\":" + burst + "}");
  }
}
