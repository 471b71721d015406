package io.tidemill.standalone.torture;

import java.io.IOException;

/** Ends a child when whoever started it is gone, however that ended. */
final class Parent {
    private Parent() {}

    /** Watches standard input, whose other end the parent holds. */
    static void watch() {
        Thread thread = new Thread(
                () -> {
                    try {
                        while (System.in.read() >= 0) {}
                    } catch (IOException gone) {
                        // as good as its end
                    }
                    Runtime.getRuntime().halt(1);
                },
                "parent");
        thread.setDaemon(true);
        thread.start();
    }
}
