package io.tidemill.preprocess.route;

import io.tidemill.proto.v1.Principal;

/**
 * Trust by how the service that received the feedback knows the rater.
 *
 * @param apiKey      weight where an API key was presented
 * @param loopback    weight of anybody on this machine
 * @param broker      weight of what a trusted producer wrote to Kafka
 * @param unspecified weight where nobody vouches
 */
public record AssuranceTrust(double apiKey, double loopback, double broker, double unspecified) implements TrustPolicy {
    public AssuranceTrust {
        check("api-key", apiKey);
        check("loopback", loopback);
        check("broker", broker);
        check("unspecified", unspecified);
    }

    @Override
    public double weight(Principal rater) {
        return switch (rater.getAssurance()) {
            case API_KEY -> apiKey;
            case LOOPBACK -> loopback;
            case BROKER -> broker;
            case ASSURANCE_UNSPECIFIED, UNRECOGNIZED -> unspecified;
        };
    }

    private static void check(String name, double weight) {
        if (!(weight >= 0 && weight <= 1)) {
            throw new IllegalArgumentException("preprocess.trust." + name + " must be from 0 to 1, but was " + weight);
        }
    }
}
