import java.util.LinkedHashSet;
import java.util.Set;
import java.util.SplittableRandom;

/** What is written to the input topic. The same shape, seed and number of lines give the same lines. */
interface Lines {
  String next();

  /** Records in the lines so far. */
  long records();

  static Lines of(String shape, long seed) {
    return switch (shape) {
      case "words" -> new Words(seed);
      case "large-values" -> new LargeValues(seed);
      case "tiny-values" -> new TinyValues(seed);
      case "keys" -> new NumberedKeys();
      default -> throw new IllegalArgumentException("no shape is named " + shape);
    };
  }

  /** 6 to 10 words in a line, from a vocabulary of 10,000 by Zipf's law with exponent 1. */
  final class Words implements Lines {
    private static final int VOCABULARY = 10_000;
    private final SplittableRandom random;
    private final String[] vocabulary = vocabulary();
    // Vose's alias method: a word for one random number, whatever the distribution.
    private final double[] threshold = new double[VOCABULARY];
    private final int[] alias = new int[VOCABULARY];
    private long records;

    Words(long seed) {
      random = new SplittableRandom(seed);
      double sum = 0;
      for (int rank = 1; rank <= VOCABULARY; rank++) sum += 1.0 / rank;
      double[] scaled = new double[VOCABULARY];
      int[] small = new int[VOCABULARY];
      int[] large = new int[VOCABULARY];
      int smalls = 0;
      int larges = 0;
      for (int index = 0; index < VOCABULARY; index++) {
        scaled[index] = VOCABULARY / ((index + 1) * sum);
        if (scaled[index] < 1) small[smalls++] = index;
        else large[larges++] = index;
      }
      while (smalls > 0 && larges > 0) {
        int less = small[--smalls];
        int more = large[--larges];
        threshold[less] = scaled[less];
        alias[less] = more;
        scaled[more] -= 1 - scaled[less];
        if (scaled[more] < 1) small[smalls++] = more;
        else large[larges++] = more;
      }
      while (larges > 0) threshold[large[--larges]] = 1;
      while (smalls > 0) threshold[small[--smalls]] = 1;
    }

    @Override
    public String next() {
      int count = random.nextInt(6, 11);
      records += count;
      StringBuilder line = new StringBuilder(count * 8);
      for (int word = 0; word < count; word++) {
        if (word > 0) line.append(' ');
        int index = random.nextInt(VOCABULARY);
        line.append(vocabulary[random.nextDouble() < threshold[index] ? index : alias[index]]);
      }
      return line.toString();
    }

    @Override
    public long records() {
      return records;
    }

    private static String[] vocabulary() {
      SplittableRandom letters = new SplittableRandom(42);
      Set<String> words = new LinkedHashSet<>();
      while (words.size() < VOCABULARY) {
        char[] word = new char[letters.nextInt(3, 10)];
        for (int at = 0; at < word.length; at++) word[at] = (char) letters.nextInt('a', 'z' + 1);
        words.add(new String(word));
      }
      return words.toArray(String[]::new);
    }
  }

  /** One record a line: one of 64 keys, and text up to 1 KB. */
  final class LargeValues implements Lines {
    private final SplittableRandom random;
    private final String text;
    private long records;

    LargeValues(long seed) {
      random = new SplittableRandom(seed);
      StringBuilder all = new StringBuilder();
      for (Words words = new Words(seed); all.length() < 65_536; ) all.append(words.next()).append(' ');
      text = all.toString();
    }

    @Override
    public String next() {
      records++;
      String key = "key" + random.nextInt(64);
      int start = random.nextInt(text.length() - 1_024);
      return key + ' ' + text.substring(start, start + 1_023 - key.length());
    }

    @Override
    public long records() {
      return records;
    }
  }

  /** One record a line: one of a million keys, and a digit. */
  final class TinyValues implements Lines {
    private final SplittableRandom random;
    private long records;

    TinyValues(long seed) {
      random = new SplittableRandom(seed);
    }

    @Override
    public String next() {
      records++;
      return "k" + random.nextInt(1_000_000) + ' ' + random.nextInt(10);
    }

    @Override
    public long records() {
      return records;
    }
  }

  /** Eight words in a line, each of them new: k0 k1 k2 … */
  final class NumberedKeys implements Lines {
    static final int IN_A_LINE = 8;
    private long records;

    @Override
    public String next() {
      StringBuilder line = new StringBuilder(80);
      for (int word = 0; word < IN_A_LINE; word++) line.append(word == 0 ? "k" : " k").append(records++);
      return line.toString();
    }

    @Override
    public long records() {
      return records;
    }
  }
}
