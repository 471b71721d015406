package io.tidemill.feedback.serving;

/**
 * Who answers a conversation, and how that came about.
 *
 * @param name        {@link #CHAMPION} or {@link #CANARY}
 * @param probability with which it was drawn; 1 where nothing was drawn
 * @param canary      version that took part in the draw; empty where nothing was drawn
 */
public record Arm(String name, double probability, String canary) {
    public static final String CHAMPION = "champion";
    public static final String CANARY = "canary";

    static Arm drawn(boolean canary, double share, String version) {
        return canary ? new Arm(CANARY, share, version) : new Arm(CHAMPION, 1 - share, version);
    }

    static Arm notDrawn(boolean canary) {
        return new Arm(canary ? CANARY : CHAMPION, 1, "");
    }
}
