"""What a careful analyst would look at in the data of a brief, ranked by consequence."""
