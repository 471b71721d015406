package io.tidemill.proto;

import io.tidemill.proto.v1.Principal;
import io.tidemill.proto.v1.Principal.Assurance;

/** Who sent an HTTP request, as services that may share a process tell each other. */
public final class Caller {
    /** Attribute of a request: the {@link Principal} that an authenticator before it has found. */
    public static final String ATTRIBUTE = "tidemill.principal";

    /** Anybody on this machine. */
    public static final Principal LOCAL = Principal.newBuilder()
            .setSubject("local")
            .setAssurance(Assurance.LOOPBACK)
            .build();

    private Caller() {}
}
