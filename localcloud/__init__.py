"""AWS emulated on one machine: moto's APIs with real executors behind them."""
