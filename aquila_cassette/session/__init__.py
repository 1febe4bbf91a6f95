"""The engine: sessions decide about requests, record, replay and step; owners decide what is saved."""
