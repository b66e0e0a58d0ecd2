"""Tables of inclusive yields and interaction lengths on air, their construction, and the kernels that sample them."""
