package io.tidemill.standalone;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;

/** Looks at the ports before anything starts. */
final class Ports {
    private static final int LARGEST_PORT = 65_535;

    private Ports() {}

    static int anyFree(String host) {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(host))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new CannotStartException("No port can be opened on --host " + host + ": " + e.getMessage() + ".", e);
        }
    }

    static void check(String option, String host, int port) {
        if (port < 0 || port > LARGEST_PORT) {
            throw new CannotStartException(
                    option + " must be between 0 and " + LARGEST_PORT + ", but was " + port + ".");
        }
        try (ServerSocket socket = new ServerSocket()) {
            InetAddress address = InetAddress.getByName(host);
            if (!address.isAnyLocalAddress() && NetworkInterface.getByInetAddress(address) == null) {
                throw new CannotStartException("--host " + host + " is not an interface of this machine.");
            }
            socket.setReuseAddress(true); // a connection of the last run that lingers does not take the port
            socket.bind(new InetSocketAddress(address, port));
        } catch (IOException e) {
            throw new CannotStartException(
                    "Port " + port + " on " + host + " cannot be opened (" + e.getMessage()
                            + "); stop the program that has it, or choose another with " + option + ".",
                    e);
        }
    }
}
