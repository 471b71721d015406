package io.tidemill.feedback.access;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;

/** Whether an address is reachable from this machine alone. */
public final class Binding {
    private Binding() {}

    /** Refuses to listen where strangers are, unless callers must show a key. */
    public static void check(String host, boolean authenticated) {
        if (!authenticated && !isLoopback(host)) {
            throw new IllegalStateException("quarkus.http.host is " + host + ", which others can reach: set"
                    + " feedback.authentication=api-key, or listen on 127.0.0.1.");
        }
    }

    /** Whether a host name or address, without port, is the loopback interface's. */
    public static boolean isLoopback(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        if (name.equals("localhost") || name.endsWith(".localhost") || name.equals("[::1]") || name.equals("::1")) {
            return true;
        }
        // Only a literal address: a name of somebody's choosing may resolve to anything, now or later.
        if (!name.matches("127(\\.[0-9]{1,3}){3}")) {
            return false;
        }
        try {
            return InetAddress.getByName(name).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
