package io.tidemill.deploy.kafka;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Finds out about ports before the broker does, because the broker says neither which it took nor why it failed. */
final class Ports {
    private Ports() {}

    static boolean isFree(String host, int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true); // as the broker does: a connection in TIME_WAIT does not take the port
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }

    static int anyFree(String host) {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(host))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new EmbeddedKafkaException("No port can be opened on " + host + ": " + e.getMessage(), e);
        }
    }
}
