package io.tidemill.standalone.torture;

import java.util.Random;

/** Made-up text, each of its own content. */
final class Words {
    private static final String[] WORDS = ("tide mill stone grain water wheel gate pond stream barge miller flour sack"
                    + " rope morning sea wind harbour bridge bank reed heron salt marsh moon oak otter plank ferry lantern")
            .split(" ");

    private Words() {}

    static String of(long seed, int count) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
        }
        return text.append('.').toString();
    }
}
