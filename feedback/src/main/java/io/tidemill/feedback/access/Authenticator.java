package io.tidemill.feedback.access;

import io.tidemill.proto.v1.Principal;
import java.util.Optional;

/** Finds out who calls, by what the caller can prove and never by what the caller claims. */
public interface Authenticator {
    /**
     * @param bearerToken of the {@code Authorization} header
     * @return who it is; empty refuses the call
     */
    Optional<Principal> authenticate(Optional<String> bearerToken);
}
