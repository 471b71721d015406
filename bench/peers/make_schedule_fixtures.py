#!/usr/bin/env python3
"""Writes the learning rates of transformers' schedules, for the trainer's tests.

    python bench/peers/make_schedule_fixtures.py trainer/src/test/resources/schedules.json

Made with torch 2.13.0 and transformers 5.18.0. Per case the arguments, and the rate that the optimizer has at each of 40
steps, of 30 that are planned, peak 0.5.
"""

import json
import sys

import torch
from transformers import optimization as schedules

CASES = {
    "constant": lambda o: schedules.get_constant_schedule(o),
    "constant_with_warmup": lambda o: schedules.get_constant_schedule_with_warmup(o, 5),
    "linear": lambda o: schedules.get_linear_schedule_with_warmup(o, 5, 30),
    "cosine": lambda o: schedules.get_cosine_schedule_with_warmup(o, 5, 30),
    "cosine_with_min_lr": lambda o: schedules.get_cosine_with_min_lr_schedule_with_warmup(o, 5, 30, min_lr_rate=0.1),
    "cosine_with_restarts": lambda o: schedules.get_cosine_with_hard_restarts_schedule_with_warmup(o, 5, 30, num_cycles=3),
    "polynomial": lambda o: schedules.get_polynomial_decay_schedule_with_warmup(o, 5, 30, lr_end=0.05, power=2.0),
    "inverse_sqrt": lambda o: schedules.get_inverse_sqrt_schedule(o, 5),
    "inverse_sqrt_of_12": lambda o: schedules.get_inverse_sqrt_schedule(o, 5, timescale=12),
    "wsd_cosine": lambda o: schedules.get_wsd_schedule(o, 5, 8, num_training_steps=30),
    "wsd_linear": lambda o: schedules.get_wsd_schedule(o, 5, 8, num_training_steps=30, decay_type="linear"),
    "wsd_sqrt": lambda o: schedules.get_wsd_schedule(o, 5, 8, num_training_steps=30, decay_type="1-sqrt"),
}


def main() -> None:
    told = {}
    for name, make in CASES.items():
        optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
        schedule = make(optimizer)
        rates = []
        for _ in range(40):
            rates.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        told[name] = rates
    with open(sys.argv[1], "w") as file:
        json.dump(told, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
