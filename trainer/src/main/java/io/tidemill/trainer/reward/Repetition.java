package io.tidemill.trainer.reward;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** How much of a text was said before in it: 1 − distinct n-grams / all n-grams, from 0 to just below 1. */
public final class Repetition {
    private Repetition() {}

    /** Of tokens; 0 where there are fewer than {@code n}. */
    public static double ofTokens(int[] tokens, int n) {
        List<Integer> list = new ArrayList<>(tokens.length);
        Arrays.stream(tokens).forEach(list::add);
        return of(list, n);
    }

    /** Of words in lower case, which are what stands between spaces. */
    public static double ofWords(String text, int n) {
        String stripped = text.strip();
        return stripped.isEmpty()
                ? 0
                : of(Arrays.asList(stripped.toLowerCase(Locale.ROOT).split("\\s+")), n);
    }

    private static double of(List<?> elements, int n) {
        int all = elements.size() - n + 1;
        if (all < 1) {
            return 0;
        }
        Set<List<?>> distinct = new HashSet<>();
        for (int i = 0; i < all; i++) {
            distinct.add(elements.subList(i, i + n));
        }
        return 1 - distinct.size() / (double) all;
    }
}
