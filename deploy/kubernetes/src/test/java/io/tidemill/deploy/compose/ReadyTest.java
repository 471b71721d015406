package io.tidemill.deploy.compose;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.tidemill.deploy.Program;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The health check of the containers, against a real HTTP server. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class ReadyTest {
    @Test
    void aServiceThatIsReadyIsHealthy() throws Exception {
        assertThat(statusAgainst(200)).isZero();
    }

    @Test
    void aServiceThatIsNotReadyIsNot() throws Exception {
        assertThat(statusAgainst(503)).isNotZero();
    }

    @Test
    void whereNothingListensNothingIsHealthy() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        assertThat(ready(port)).isNotZero();
    }

    private static int statusAgainst(int answer) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            boolean asked = exchange.getRequestURI().getPath().equals("/q/health/ready");
            exchange.sendResponseHeaders(asked ? answer : 404, -1);
            exchange.close();
        });
        server.start();
        try {
            return ready(server.getAddress().getPort());
        } finally {
            server.stop(0);
        }
    }

    private static int ready(int port) throws Exception {
        return Program.run("bash", Compose.FOLDER.resolve("ready").toString(), Integer.toString(port))
                .status();
    }
}
